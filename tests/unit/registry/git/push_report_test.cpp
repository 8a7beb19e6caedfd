#include "registry/git/push_report.hpp"

#include <doctest/doctest.h>

#include "registry/git/git_failure.hpp"

using namespace nimbus;
using namespace nimbus::registry;

TEST_CASE("porcelain output of git push") {
  const auto report = parse_push_report(
      "To file:///tmp/remote\n!\tabc:refs/heads/a\t[rejected] (stale info)\n*\tdef:refs/heads/b\t[new branch]\nDone\n");
  CHECK(report.done);
  REQUIRE(report.lines.size() == 2);
  REQUIRE(report.find("refs/heads/a") != nullptr);
  CHECK(report.find("refs/heads/a")->flag == '!');
  CHECK(report.find("refs/heads/a")->summary == "[rejected] (stale info)");
  CHECK(report.find("refs/heads/b")->flag == '*');
  CHECK(report.find("refs/heads/c") == nullptr);
  for (const char* junk : {"", "\t\t\n", "!\n", "??\ta:b\tc", "!\tno colon\tx", "Done later"}) {
    CHECK_MESSAGE(parse_push_report(junk).lines.empty(), junk);
    CHECK(!parse_push_report(junk).done);
  }
}

TEST_CASE("why git failed, from what git 2.39, OpenSSH 9.2 and libcurl 7.88 say") {
  struct Sample {
    const char* text;
    Code code;
  };
  for (const auto& sample : {
           Sample{"No ED25519 host key is known for [127.0.0.1]:2222 and you have requested strict checking.\r\n"
                  "Host key verification failed.\r\nfatal: Could not read from remote repository.\n",
                  Code::Untrusted},
           Sample{"git@127.0.0.1: Permission denied (publickey).\r\nfatal: Could not read from remote repository.\n",
                  Code::Auth},
           Sample{"ssh: connect to host 127.0.0.1 port 1: Connection refused\r\nfatal: Could not read",
                  Code::Unreachable},
           Sample{
               "fatal: unable to access 'https://127.0.0.1:1/': server certificate verification failed. CAfile: none",
               Code::Untrusted},
           Sample{"fatal: Authentication failed for 'https://forge.example/x/'\n", Code::Auth},
           Sample{"fatal: unable to access 'https://x/': The requested URL returned error: 403\n", Code::Auth},
           Sample{"fatal: repository 'https://127.0.0.1/x.git/' not found\n", Code::NotFound},
           Sample{"fatal: couldn't find remote ref refs/heads/x\n", Code::NotFound},
           Sample{"fatal: unable to access 'https://x/': Operation too slow. Less than 1000 bytes/sec", Code::Timeout},
           Sample{"fatal: unable to access 'https://x.example/': Could not resolve host: x.example", Code::Unreachable},
           Sample{"something new", Code::Unreachable},
       }) {
    CHECK_MESSAGE(classify_git_failure(sample.text) == sample.code, sample.text);
  }
  CHECK(summarize_git_errors("@@@@@@\nhint: try\nfatal: https://u:p@h/x\n\n") == "fatal: https://h/x");
  CHECK(summarize_git_errors("") == "no message");
}
