#include "registry/git/git_program.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/text/text.hpp"
#include "registry/git/git_command.hpp"
#include "registry/git/git_failure.hpp"
#include "registry/git/push_report.hpp"

namespace nimbus::registry {
namespace {

bool succeeded(const base::ProgramResult& result) {
  return result.end == base::ProgramEnd::Exited && result.exit_code == 0;
}

std::string where(const GitRemote& remote) { return redact_urls(remote.url, 200); }

Result<> check_reference(const std::string& name) {
  if (is_reference_name(name)) return {};
  return Error{Code::Invalid, "'" + base::printable(name, 120) + "' is no full reference name"};
}

std::size_t count_packs(const std::string& repository) {
  std::error_code failure;
  std::size_t packs = 0;
  std::filesystem::directory_iterator entry(repository + "/objects/pack", failure);
  for (; !failure && entry != std::filesystem::directory_iterator(); entry.increment(failure)) {
    if (entry->path().extension() == ".pack") ++packs;
  }
  return packs;
}

}  // namespace

bool is_reference_name(std::string_view name) noexcept {
  constexpr std::size_t kLongest = 512;
  if (!name.starts_with("refs/") || name.size() > kLongest || name.ends_with('/') || name.ends_with('.')) return false;
  for (const char* forbidden : {"..", "//", "/.", ".lock", "@{"}) {
    if (name.find(forbidden) != std::string_view::npos) return false;
  }
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '-' ||
           c == '_' || c == '.' || c == '+';
  });
}

GitProgram::GitProgram(GitProgramOptions options, const Clock& clock) : options_(std::move(options)), clock_(clock) {
  const char* path = std::getenv("PATH");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  path_variable_ = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
}

Result<base::ProgramResult> GitProgram::run(const GitRemote* remote, std::vector<std::string> arguments,
                                            const Call& call) const {
  auto command = git_command(remote, path_variable_);
  if (!command) return std::move(command.error());
  base::Program program;
  program.argv = {options_.program, "--git-dir=" + options_.repository, "--no-replace-objects"};
  std::ranges::move(command->configuration, std::back_inserter(program.argv));
  std::ranges::move(arguments, std::back_inserter(program.argv));
  program.environment = std::move(command->environment);
  if (remote != nullptr) program.file_limit_bytes = options_.pack_limit_bytes;
  return base::run_program(program, call, clock_);
}

Error GitProgram::failure(const base::ProgramResult& result, const std::string& what) const {
  const std::string detail = summarize_git_errors(result.errors.text);
  switch (result.end) {
    case base::ProgramEnd::TimedOut:
      return Error{Code::Timeout, "no end within the time given (" + detail + ")", {what}};
    case base::ProgramEnd::Cancelled:
      return Error{Code::Cancelled, "stopped", {what}};
    case base::ProgramEnd::Signalled:
      return Error{Code::Internal, "git was ended by signal " + std::to_string(result.signal) + ": " + detail, {what}};
    case base::ProgramEnd::Exited:
      break;
  }
  return Error{classify_git_failure(result.errors.text), detail, {what}};
}

Result<std::map<std::string, ObjectId>> GitProgram::list_remote(const GitRemote& remote,
                                                                const std::vector<std::string>& references,
                                                                const Call& call) {
  std::vector<std::string> arguments = {"ls-remote", "--quiet", "--refs", "--", git_url(remote)};
  for (const auto& name : references) {
    if (auto ok = check_reference(name); !ok) return std::move(ok.error());
    arguments.push_back(name);
  }
  auto result = run(&remote, std::move(arguments), call);
  if (!result) return std::move(result.error());
  const std::string what = "while asking " + where(remote) + " for its references";
  if (!succeeded(*result)) return failure(*result, what);
  if (result->output.cut) return Error{Code::Invalid, "too many references", {what}};
  std::map<std::string, ObjectId> found;
  for (const auto line : base::split(result->output.text, '\n')) {
    const auto tab = line.find('\t');
    if (tab == std::string_view::npos) continue;
    const std::string name(line.substr(tab + 1));
    // git matches names by their end; here they are meant exactly.
    if (std::ranges::find(references, name) == references.end()) continue;
    if (!is_object_id(line.substr(0, tab))) return Error{Code::Unsupported, "not a SHA-1 repository", {what}};
    found[name] = ObjectId(line.substr(0, tab));
  }
  return found;
}

Result<> GitProgram::fetch(const GitRemote& remote, const std::vector<FetchRef>& references, const Call& call) {
  std::vector<std::string> arguments = {"fetch",
                                        "--quiet",
                                        "--atomic",
                                        "--no-tags",
                                        "--no-recurse-submodules",
                                        "--no-auto-maintenance",
                                        "--no-write-fetch-head",
                                        "--no-show-forced-updates",
                                        "--",
                                        git_url(remote)};
  for (const auto& reference : references) {
    if (auto ok = check_reference(reference.remote); !ok) return ok;
    if (auto ok = check_reference(reference.local); !ok) return ok;
    arguments.push_back("+" + reference.remote + ":" + reference.local);
  }
  auto result = run(&remote, std::move(arguments), call);
  if (!result) return std::move(result.error());
  if (!succeeded(*result)) {
    auto error = failure(*result, "while fetching from " + where(remote));
    if (error.code == Code::Invalid) {
      error.message += " (malformed, or more than " + std::to_string(options_.pack_limit_bytes) + " bytes)";
    }
    return error;
  }
  return {};
}

Result<> GitProgram::push(const GitRemote& remote, const ObjectId& commit, const std::string& reference,
                          const std::optional<ObjectId>& expected, const Call& call) {
  if (auto ok = check_reference(reference); !ok) return ok;
  if (!is_object_id(commit) || (expected && !is_object_id(*expected))) {
    return Error{Code::Invalid, "a push of something that is no commit id"};
  }
  // No --atomic: one reference moves or does not, and not every server offers it.
  auto result = run(&remote,
                    {"push", "--porcelain", "--no-verify", "--no-signed", "--recurse-submodules=no", "--no-follow-tags",
                     "--force-with-lease=" + reference + ":" + expected.value_or(""), "--", git_url(remote),
                     commit + ":" + reference},
                    call);
  if (!result) return std::move(result.error());
  const auto report = parse_push_report(result->output.text);
  const auto* line = report.find(reference);
  if (succeeded(*result) && line != nullptr && line->flag != '!') return {};
  if (line != nullptr && line->flag == '!' && result->end == base::ProgramEnd::Exited) {
    return rejected(remote, reference, expected, line->summary, *result, call);
  }
  return failure(*result, "while pushing to " + where(remote));
}

/// A lease that does not hold is a Conflict. So is a refusal by the server when the
/// reference has moved: it was moved after the lease had been looked at.
Error GitProgram::rejected(const GitRemote& remote, const std::string& reference,
                           const std::optional<ObjectId>& expected, const std::string& summary,
                           const base::ProgramResult& result, const Call& call) {
  const std::string what = "while pushing to " + where(remote);
  Error conflict{Code::Conflict, reference + " was moved by somebody else", {what}};
  if (summary.find("(stale info)") != std::string::npos) return conflict;
  auto now = list_remote(remote, {reference}, call);
  if (!now) return std::move(now.error()).with(what);
  const auto found = now->find(reference);
  const auto tip = found == now->end() ? std::optional<ObjectId>{} : std::optional(found->second);
  if (tip != expected) return conflict;
  return Error{Code::Auth,
               "the server refuses to move " + reference + ": " + redact_urls(summary, 200) + "; " +
                   summarize_git_errors(result.errors.text),
               {what}};
}

Result<> GitProgram::compact(const Call& call) {
  auto result = run(nullptr, {"gc", "--quiet", "--prune=2.hours.ago"}, call);
  if (!result) return std::move(result.error());
  if (!succeeded(*result)) return failure(*result, "while packing " + options_.repository);
  return {};
}

Result<bool> GitProgram::compact_if_needed(const Call& call) {
  constexpr std::size_t kMostPacks = 100;  // opening a repository then takes about a millisecond
  if (count_packs(options_.repository) <= kMostPacks) return false;
  if (auto ok = compact(call); !ok) return std::move(ok.error());
  return true;
}

}  // namespace nimbus::registry
