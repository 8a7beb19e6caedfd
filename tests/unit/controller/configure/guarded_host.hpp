// A host with one file, "/etc/net", and one action that reads it and may cut the host off. It keeps
// its own time: what nobody confirmed on a newer session than the one of the try undoes itself.
#pragma once

#include <optional>
#include <regex>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "controller/configure/host_pass.hpp"
#include "reconcilers/configure/needs.hpp"
#include "support/fake_clock.hpp"
#include "support/fake_host.hpp"
#include "support/host_sample.hpp"

namespace nimbus::testing {

/// "/etc/net" with this content, and beside it a file that has nothing to do with it.
inline host::Configuration network(const std::string& content, const std::string& unless = {}) {
  return test::configuration({test::resource(test::file("/etc/net", content), {"action:network"}),
                              test::resource(test::file("/etc/other", "x\n")),
                              test::resource(host::Action{"network", "apply", "apply", 60, unless})});
}

class GuardedHost {
 public:
  explicit GuardedHost(FakeClock& clock) : clock_(clock) {
    state.answer = [this](const std::string& script) { return take(script); };
  }

  // What a try does here.
  bool cuts_off = false;       // nobody gets in on a new session
  bool drops_answer = false;   // the session of the try ends with it
  bool fails = false;          // it says so itself, and is undone at once
  bool undoes_slowly = false;  // the undo began, and is not at its end
  bool lacks = false;          // what `unless` asks for is not there, whatever is tried
  std::chrono::seconds takes{1};

  /// On a session that is over.
  void try_by_somebody(const std::string& token) {
    content = content_of(wanted);
    start_try(token);
  }

  test::FakeHostState state;
  std::vector<std::string> kinds;  // "probe", "files", "try", "confirm"
  std::string content = "old\n";   // of /etc/net
  std::string other;               // of /etc/other; empty: not there
  int tries = 0, undos = 0, limit_seconds = 0;
  unsigned long try_session = 0, confirm_session = 0;
  host::Configuration wanted;  // by whom it is asked

 private:
  static std::string content_of(const host::Configuration& of) {
    return std::get<host::File>(of.resources.at(1).wanted).content;
  }

  void start_try(const std::string& token) {
    ++tries;
    token_ = token;
    until_ = clock_.now() + std::chrono::seconds(limit_seconds == 0 ? 60 : limit_seconds);
    try_session = state.session;
    trial_ = reconcilers::configure::digest_of_trial(wanted.resources.at(0), wanted);
  }

  void undo() {
    ++undos;
    content = before_;
    token_.clear();
    pending_ = undoes_slowly;
    if (!undoes_slowly) undone_ = trial_;
  }

  void pass_time() {
    if (!token_.empty() && clock_.now() >= until_) undo();
  }

  Result<HostAnswer> take(const std::string& script) {
    pass_time();
    if (!token_.empty() && cuts_off && state.session > try_session) {
      state.open = false;
      return Error{Code::Unreachable, "no route"};
    }
    std::smatch found;
    if (std::regex_search(script, found, std::regex(R"(nimbus-probe\\t1\\t(\w+)\\tbegin)"))) return probe(found[1]);
    if (script.find("confirm() {") != std::string::npos) return confirm(script);
    if (!std::regex_search(script, found, std::regex("TOKEN='(\\w+)'"))) return HostAnswer{2, "", "what?"};
    return script.find("systemd-run") == std::string::npos ? files(script, found[1]) : attempt(script, found[1]);
  }

  static std::string path_line(const std::string& path, const std::string& text) {
    return fmt::format("path\t81a4\troot\troot\t{}\t{}\n{}  {}\n", text.size(), path, base::sha256_hex(text), path);
  }

  HostAnswer probe(const std::string& token) {
    kinds.emplace_back("probe");
    std::string text = fmt::format("nimbus-probe\t1\t{}\tbegin\nclock\t1800000000.5\nhost\t1\t1\tapt\n", token);
    text += path_line("/etc/net", content);
    if (!other.empty()) text += path_line("/etc/other", other);
    const auto& action = std::get<host::Action>(wanted.resources.at(0).wanted);
    if (!action.unless.empty()) text += fmt::format("command\taction:network\t{}\n", lacks ? 0 : 1);
    if (pending_) text += "pending\taction:network\t\n";
    if (!undone_.empty()) text += fmt::format("undone\taction:network\t{}\n", undone_);
    if (!token_.empty()) text += fmt::format("awaiting\taction:network\t{} {} 1\n", token_, trial_);
    return {0, text + fmt::format("told\tpaths\n\nnimbus-probe\t1\t{}\tend\n", token), ""};
  }

  HostAnswer confirm(const std::string& script) {
    kinds.emplace_back("confirm");
    confirm_session = state.session;
    const bool ours = !token_.empty() && script.find("'" + token_ + "'") != std::string::npos;
    if (!ours || state.session <= try_session) return {1, "", ""};
    token_.clear();
    pending_ = false;
    return {0, "", ""};
  }

  HostAnswer files(const std::string& script, const std::string& token) {
    kinds.emplace_back("files");
    std::string text;
    std::size_t at = 0;
    if (script.find("'/etc/net'") != std::string::npos) {
      text += done(token, at++, 0);
      before_ = content;
      content = content_of(wanted);
      pending_ = true;
    }
    if (script.find("'other'") != std::string::npos) {
      text += done(token, at++, 0);
      other = "x\n";
    }
    return {0, text, ""};
  }

  static std::string done(const std::string& token, std::size_t at, int status) {
    return fmt::format("nimbus\t{0}\tstart\t{1}\nnimbus\t{0}\tdone\t{1}\t{2}\n", token, at, status);
  }

  Result<HostAnswer> attempt(const std::string& script, const std::string& token) {
    kinds.emplace_back("try");
    std::smatch found;
    REQUIRE(std::regex_search(script, found, std::regex("'action:network' '" + token + "' (\\d+) ")));
    limit_seconds = std::stoi(found[1]);
    start_try(token);
    clock_.advance(takes);
    if (fails) undo();
    pass_time();
    if (!drops_answer) return HostAnswer{0, done(token, 0, fails ? 1 : 0), ""};
    state.open = false;
    return Error{Code::Timeout, "the connection ended"};
  }

  FakeClock& clock_;
  std::string before_ = content, token_, trial_, undone_;
  bool pending_ = false;
  MonoTime until_{};
};

}  // namespace nimbus::testing
