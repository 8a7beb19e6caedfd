#include "controller/audit/audit.hpp"

#include "base/time/time.hpp"

namespace nimbus::controller {
namespace {

using base::Json;

/// Foreign text has a bound, so that a line stays within the chain's.
std::string bounded(std::string text) {
  constexpr std::size_t kMost = 4000;
  if (text.size() > kMost) text.resize(kMost);
  return text;
}

}  // namespace

void AuditedRunLog::remember(const MachineId& machine, const Run& run) {
  const std::lock_guard lock(mutex_);
  open_[run.id] = {machine, run.action, run.commit};
}

Result<std::int64_t> AuditedRunLog::begin(const MachineId& machine, const Run& run) {
  auto id = journal_.begin(machine, run);
  if (!id) return id;
  const auto line = chain_.append(Json::object({{"type", "intent"},
                                                {"time", base::to_rfc3339(run.started)},
                                                {"machine", machine.text()},
                                                {"run", *id},
                                                {"action", to_string(run.action)},
                                                {"reason", bounded(run.reason)},
                                                {"commit", run.commit},
                                                {"author", bounded(author_(run.commit))},
                                                {"digest", run.digest}}));
  if (!line) {
    Error error = Error(line.error()).with("while writing the intent to the audit log");
    (void)journal_.finish(*id, RunOutcome::Failed, error.text(), clock_.wall());
    return error;
  }
  const std::lock_guard lock(mutex_);
  open_[*id] = {machine, run.action, run.commit};
  return id;
}

Result<> AuditedRunLog::finish(std::int64_t id, RunOutcome outcome, const std::string& detail, WallTime at) {
  if (auto finished = journal_.finish(id, outcome, detail, at); !finished) return finished;
  Open run;
  {
    const std::lock_guard lock(mutex_);
    if (auto known = open_.extract(id)) run = std::move(known.mapped());
  }
  const auto line =
      chain_.append(Json::object({{"type", "result"},
                                  {"time", base::to_rfc3339(at)},
                                  {"machine", run.machine.machine.empty() ? std::string() : run.machine.text()},
                                  {"run", id},
                                  {"action", to_string(run.action)},
                                  {"outcome", to_string(outcome)},
                                  {"detail", bounded(detail)},
                                  {"commit", run.commit}}));
  if (!line) return Error(line.error()).with("while writing the result to the audit log");
  return {};
}

Result<std::vector<Run>> AuditedRunLog::last_runs(const MachineId& machine, std::size_t most) {
  return journal_.last_runs(machine, most);
}

Result<> AuditedRunLog::note(const AuditNote& note) {
  const auto line = chain_.append(Json::object({{"type", note.type},
                                                {"time", base::to_rfc3339(clock_.wall())},
                                                {"machine", note.machine},
                                                {"by", bounded(note.by)},
                                                {"reason", bounded(note.reason)}}));
  if (!line) return line.error();
  return {};
}

}  // namespace nimbus::controller
