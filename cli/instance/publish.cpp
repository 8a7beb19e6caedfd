#include "cli/instance/publish.hpp"

#include <unistd.h>

#include <algorithm>

#include <fmt/core.h>

#include "base/file/file.hpp"
#include "base/text/text.hpp"
#include "cli/instance/foreground.hpp"

namespace nimbus::cli {
namespace {

/// The last lines of what git said, without line ends.
std::string said(const std::string& output) {
  constexpr std::size_t kMost = 400;
  std::string out;
  for (const auto line : base::split(output, '\n')) {
    const auto text = base::trim(line);
    if (!text.empty()) out += (out.empty() ? "" : "; ") + std::string(text);
  }
  return base::printable(out.size() > kMost ? out.substr(out.size() - kMost) : out, kMost);
}

/// "git@forge.example:o/r.git", "ssh://git@forge.example/o/r", "https://…" → "https://forge.example/o/r".
std::string web_address(std::string remote) {
  if (remote.ends_with(".git")) remote.resize(remote.size() - 4);
  if (remote.starts_with("https://")) {
    const auto at = remote.find('@');
    return at != std::string::npos && at < remote.find('/', 8) ? "https://" + remote.substr(at + 1) : remote;
  }
  if (remote.starts_with("ssh://")) {
    std::string rest = remote.substr(6);
    rest = rest.substr(rest.find('@') == std::string::npos ? 0 : rest.find('@') + 1);
    const auto slash = rest.find('/');
    if (slash == std::string::npos) return {};
    return "https://" + rest.substr(0, std::min(rest.find(':'), slash)) + rest.substr(slash);
  }
  const auto at = remote.find('@'), colon = remote.find(':');
  if (at == std::string::npos || colon == std::string::npos || at > colon) return {};
  return "https://" + remote.substr(at + 1, colon - at - 1) + "/" + remote.substr(colon + 1);
}

}  // namespace

std::string pull_request_link(const std::string& push_output, const std::string& remote, const std::string& branch) {
  for (const auto line : base::split(push_output, '\n')) {
    const auto at = line.find("https://");
    if (!line.starts_with("remote:") || at == std::string_view::npos) continue;
    return base::printable(line.substr(at, line.find_first_of(" \t\r", at) - at), 500);
  }
  const std::string web = web_address(remote);
  if (web.starts_with("https://github.com/")) return web + "/compare/" + branch + "?expand=1";
  if (web.starts_with("https://gitlab.com/"))
    return web + "/-/merge_requests/new?merge_request%5Bsource_branch%5D=" + branch;
  return {};
}

Result<std::string> Publisher::git(std::vector<std::string> arguments, const std::string& input,
                                   std::vector<std::string> environment) const {
  std::vector<std::string> argv = {"git", "-C", folder_};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  auto result = run_foreground({.argv = std::move(argv), .more_environment = std::move(environment), .input = input});
  if (!result) return std::move(result.error());
  if (result->code != 0) {
    const bool first = result->output.find("[rejected]") != std::string::npos ||
                       result->output.find("non-fast-forward") != std::string::npos;
    return Error{first ? Code::Conflict : Code::Internal,
                 fmt::format("git {} failed: {}", arguments.front(), said(result->output))};
  }
  return std::move(result->output);
}

bool Publisher::has_remote() const { return git({"remote", "get-url", "origin"}).has_value(); }

Result<> Publisher::fetch_status(const std::string& prefix) const {
  auto done = git(
      {"fetch", "--quiet", "--no-tags", "origin", fmt::format("+refs/heads/{0}/*:refs/remotes/origin/{0}/*", prefix)});
  if (!done) return std::move(done.error());
  return {};
}

Result<> Publisher::check_clean(const std::string& path) const {
  auto changes = git({"status", "--porcelain", "--", path});
  if (!changes) return std::move(changes.error());
  if (base::trim(*changes).empty()) return {};
  return Error{Code::Conflict,
               base::printable(path) + " has changes that are not committed: commit or drop them first"};
}

/// A commit of HEAD's tree with this one change, through an index of its own.
Result<std::string> Publisher::commit_apart(const FileChange& change, const std::string& message) const {
  auto folder = git({"rev-parse", "--absolute-git-dir"});
  if (!folder) return folder;
  const std::string index = fmt::format("{}/nimbusctl-index-{}", base::trim(*folder), ::getpid());
  const std::vector<std::string> environment = {"GIT_INDEX_FILE=" + index};
  const auto build = [&]() -> Result<std::string> {
    if (auto read = git({"read-tree", "HEAD"}, {}, environment); !read) return read;
    if (change.text) {
      auto blob = git({"hash-object", "-w", "--stdin"}, *change.text);
      if (!blob) return blob;
      auto added =
          git({"update-index", "--add", "--cacheinfo", fmt::format("100644,{},{}", base::trim(*blob), change.path)}, {},
              environment);
      if (!added) return added;
    } else if (auto gone = git({"update-index", "--force-remove", change.path}, {}, environment); !gone) {
      return gone;
    }
    auto tree = git({"write-tree"}, {}, environment);
    if (!tree) return tree;
    std::vector<std::string> arguments = {"commit-tree", std::string(base::trim(*tree)), "-p", "HEAD"};
    // Other than `git commit`, commit-tree does not look at this setting by itself.
    const auto signs = git({"config", "--type=bool", "--get", "commit.gpgSign"});
    if (signs && base::trim(*signs) == "true") arguments.emplace_back("-S");
    return git(std::move(arguments), message + "\n");
  };
  auto commit = build();
  ::unlink(index.c_str());
  if (!commit) return commit;
  return std::string(base::trim(*commit));
}

Result<Published> Publisher::publish(const FileChange& change, const std::string& message, PushTo to,
                                     const std::string& branch) const {
  Published out;
  if (to == PushTo::Branch) {
    auto commit = commit_apart(change, message);
    if (!commit) return std::move(commit.error());
    out.commit = *commit;
    const std::string reference = "refs/heads/" + branch;
    auto pushed = git({"push", "origin", out.commit + ":" + reference});
    if (!pushed) return std::move(pushed.error());
    out.branch = branch;
    const auto remote = git({"remote", "get-url", "origin"});
    out.link = pull_request_link(*pushed, remote ? std::string(base::trim(*remote)) : "", branch);
    return out;
  }
  if (change.text) {
    if (auto added = git({"add", "--", change.path}); !added) return std::move(added.error());
  }
  if (auto made = git({"commit", "--quiet", "--only", "-m", message, "--", change.path}); !made)
    return std::move(made.error());
  auto head = git({"rev-parse", "HEAD"});
  if (!head) return std::move(head.error());
  out.commit = base::trim(*head);
  if (to == PushTo::Nowhere) return out;
  auto current = git({"symbolic-ref", "--quiet", "--short", "HEAD"});
  if (!current) return Error{Code::Invalid, "no branch is checked out: the commit was made, and not pushed"};
  const std::string name(base::trim(*current));
  auto pushed = git({"push", "origin", "HEAD:refs/heads/" + name});
  if (!pushed) {
    Error error = std::move(pushed.error());
    error.message += error.code == Code::Conflict
                         ? ". The commit was made here: 'git pull --rebase' and 'git push' bring it there"
                         : ". The commit was made here, and not pushed";
    return error;
  }
  out.branch = name;
  return out;
}

}  // namespace nimbus::cli
