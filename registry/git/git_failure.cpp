#include "registry/git/git_failure.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/text/text.hpp"
#include "registry/git/remote.hpp"

namespace nimbus::registry {
namespace {

struct Phrase {
  std::string_view text;
  Code code;
};

// git 2.39, OpenSSH 9.2, libcurl 7.88 with GnuTLS and OpenSSL. The first that is
// found counts: what is said about trust and rights before what follows from it.
constexpr std::array kPhrases = {
    Phrase{"Host key verification failed", Code::Untrusted},
    Phrase{"HOST IDENTIFICATION HAS CHANGED", Code::Untrusted},
    Phrase{"SSL certificate problem", Code::Untrusted},
    Phrase{"certificate verification failed", Code::Untrusted},
    Phrase{"certificate subject name", Code::Untrusted},
    Phrase{"does not match target host name", Code::Untrusted},
    Phrase{"dubious ownership", Code::Untrusted},
    Phrase{"Permission denied (", Code::Auth},
    Phrase{"Authentication failed", Code::Auth},
    Phrase{"Too many authentication failures", Code::Auth},
    Phrase{"could not read Username", Code::Auth},
    Phrase{"could not read Password", Code::Auth},
    Phrase{"returned error: 401", Code::Auth},
    Phrase{"returned error: 403", Code::Auth},
    Phrase{"returned error: 429", Code::RateLimited},
    Phrase{"returned error: 404", Code::NotFound},
    Phrase{"returned error: 30", Code::Invalid},  // a redirect, which is not followed: the url is another one now
    Phrase{"does not appear to be a git repository", Code::NotFound},
    Phrase{"couldn't find remote ref", Code::NotFound},
    Phrase{"epository not found", Code::NotFound},
    Phrase{"' not found", Code::NotFound},
    Phrase{"fsck error", Code::Corrupt},
    Phrase{"early EOF", Code::Unreachable},
    Phrase{"unexpected disconnect", Code::Unreachable},
    // index-pack ended without a word of its own: by SIGXFSZ, it may write no more.
    Phrase{"invalid index-pack output", Code::Invalid},
    Phrase{"File too large", Code::Invalid},
    Phrase{"No space left on device", Code::Internal},
    Phrase{"unable to create temporary file", Code::Internal},
    Phrase{".lock': File exists", Code::Busy},
    Phrase{"Operation too slow", Code::Timeout},
    Phrase{"server not responding", Code::Timeout},
};

}  // namespace

Code classify_git_failure(std::string_view errors) noexcept {
  for (const auto& phrase : kPhrases) {
    if (errors.find(phrase.text) != std::string_view::npos) return phrase.code;
  }
  return Code::Unreachable;
}

std::string summarize_git_errors(std::string_view errors) {
  constexpr std::size_t kLines = 5;
  constexpr std::size_t kBytes = 600;
  std::vector<std::string_view> lines;
  for (const auto line : base::split(errors, '\n')) {
    const auto text = base::trim(line);
    // ssh frames some warnings in @ and advises to forget a changed host key; git's
    // general advice tells nobody anything here.
    if (text.empty() || text.starts_with("remove with:") || text.starts_with("ssh-keygen -f") ||
        text.starts_with("@@@") || text.starts_with("hint:") ||
        text.starts_with("Please make sure you have the correct access rights") ||
        text.starts_with("and the repository exists")) {
      continue;
    }
    lines.push_back(text);
  }
  if (lines.size() > kLines) lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(kLines));
  std::string out;
  for (const auto line : lines) out += (out.empty() ? "" : "; ") + std::string(line);
  return out.empty() ? "no message" : redact_urls(out, kBytes);
}

}  // namespace nimbus::registry
