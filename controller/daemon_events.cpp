// What happens when a commit was accepted, the term was taken, or somebody else took over.
#include <algorithm>
#include <utility>

#include "base/log/log.hpp"
#include "base/process/self.hpp"
#include "controller/commit_verdict.hpp"
#include "controller/daemon_impl.hpp"

namespace nimbus::controller {

using base::Level;

constexpr std::chrono::seconds kTellBoot{15};

void Daemon::Impl::accepted(const std::shared_ptr<const AcceptedRegistry>& registry,
                            const registry::GitRepository& mirror) {
  count_descriptors(registry->machines.size());
  if (reporter_) reporter_->tell(commit_status(*registry));
  live_.accepted(registry);
  board_.accepted(registry);
  const bool instances_changed = accept_life(*registry, mirror);
  hosts_.accepted(registry);
  fleet_.accept(registry);
  if (instances_changed) fleet_.look_at_all();
}

/// One for the connection to each BMC, one for its event stream, two for each worker (libcurl's), and what is open
/// beside. Said as soon as the fleet is known: later it would be whatever cannot be opened first.
void Daemon::Impl::count_descriptors(std::size_t machines) {
  constexpr std::size_t kBeside = 256;
  const auto use = base::process_use();
  if (!use) return;
  const std::size_t streams = std::min({machines, config_.event_streams, use->most_descriptors / 4});
  const std::size_t needed = machines + streams + 2 * workers_.most() + kBeside;
  const bool too_few = needed > use->most_descriptors;
  if (too_few && !few_descriptors_) {
    base::log(Level::Warning, "few-descriptors", "the machines may need more descriptors than this process may open",
              {{"needed", std::to_string(needed)}, {"allowed", std::to_string(use->most_descriptors)}});
  }
  few_descriptors_ = too_few;
}

/// Whether what is wanted of instances changed: then any machine may be concerned.
bool Daemon::Impl::accept_life(const AcceptedRegistry& registry, const registry::GitRepository& mirror) {
  if (config_.boot_sockets.empty()) return false;
  const auto read = [&mirror](const auto& file) { return mirror.read_blob(file.blob, registry::TreeSource::kMaxFile); };
  auto changed =
      life_.accept(registry, wishes_of(registry.in_force.get(), config_.provider, registry.accepted_commit, read));
  if (!changed) base::log(Level::Error, "journal-unreadable", changed.error().text());
  life_.withdraw({clock_.now() + kTellBoot, {}});
  return changed && *changed;
}

void Daemon::Impl::term_taken(const TermTaken& taken) {
  live_.seed(taken.documents);
  board_.seed(taken.documents);
  instances_.seed(taken.documents);
  life_.seed(taken.documents);
  note({.type = "term", .machine = {}, .by = config_.id, .reason = "took term " + std::to_string(taken.term)});
  events_.publish("controller", "", base::Json::object({{"headline", "term taken"}, {"term", taken.term}}));
  fleet_.look_at_all();
  hosts_.hosts().look_at_all();
}

void Daemon::Impl::deposed(const std::string& detail) {
  note({.type = "deposed", .machine = {}, .by = {}, .reason = detail});
  events_.publish("controller", "", base::Json::object({{"headline", "another controller took over"}}));
}

/// What cannot be noted is said in the log; it happened all the same.
void Daemon::Impl::note(const AuditNote& what) {
  if (auto noted = audit_.note(what); !noted) base::log(Level::Error, "audit-not-written", noted.error().text());
}

Result<> Daemon::Impl::prepare_forge() {
  if (config_.forge.kind.empty()) return {};
  const std::string key = "forge-status";
  auto made = ForgeReporter::make(
      {.api = config_.forge.api,
       .project = {.api = choice_from<ForgeApi>(config_.forge.kind).value_or(ForgeApi::Github),
                   .base = {},
                   .project = config_.forge.project,
                   .context = "nimbus/" + config_.provider},
       .token_file = config_.forge.token_file,
       .ca_file = config_.forge.ca_file},
      clock_,
      {.known =
           [this, key](const std::string& status) {
             const auto told = journal_->recall(key);
             return told && *told && **told == status;
           },
       .remember = [this, key](const std::string& status) { (void)journal_->remember(key, status); },
       .may_speak = [this] { return publisher_.authority().state == Authority::State::Held; }});
  if (!made) return std::move(made.error());
  reporter_ = std::move(*made);
  return {};
}

}  // namespace nimbus::controller
