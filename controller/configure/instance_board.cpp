#include "controller/configure/instance_board.hpp"

#include <utility>

namespace nimbus::controller {

using registry::InstancePhase;

void InstanceBoard::life(const std::string& path, const std::string& text, const std::string& event) {
  auto status = registry::parse_instance_status(text, path);
  if (!status) return publish_(path, text, event);  // ours, so this cannot be
  const std::lock_guard lock(mutex_);
  auto& document = documents_[path];
  // Of an instance that runs already the host's pass knows more.
  if (document.part && document.life && status->machine.empty() && document.life->ssh_trust == "registry") return;
  document.life = std::move(*status);
  tell(path, document, event);
}

void InstanceBoard::host(const HostTarget& target, const HostReport& report) {
  const std::lock_guard lock(mutex_);
  if (!seeded_) return;
  auto& document = documents_[target.path];
  HostPart part = describe_host(target, report, document.part, clock_.wall());
  const std::string event = headline(document.part, part);
  document.part = std::move(part);
  if (target.adopted) document.life = describe_adopted(target);
  tell(target.path, document, event);
}

void InstanceBoard::correcting(const HostTarget& target) {
  const std::lock_guard lock(mutex_);
  if (!seeded_) return;
  auto& document = documents_[target.path];
  if (target.adopted) document.life = describe_adopted(target);
  if (!document.part) document.part.emplace();
  if (document.part->record.mode.empty()) document.part->record.mode = std::string(name_of(target.mode));
  document.part->correcting = true;
  tell(target.path, document, "configuring");
}

void InstanceBoard::dropped(const std::string& path, const std::string& error) {
  const std::lock_guard lock(mutex_);
  if (!seeded_) return;
  auto& document = documents_[path];
  HostPart part = describe_dropped(document.part, error, clock_.wall());
  if (document.part == part) return;
  document.part = std::move(part);
  tell(path, document, "access-removed");
}

void InstanceBoard::seed(const std::map<std::string, std::string>& documents) {
  const std::lock_guard lock(mutex_);
  seeded_ = true;
  for (const auto& [path, text] : documents) {
    if (path.find("/instances/") == std::string::npos) continue;
    auto status = registry::parse_instance_status(text, path);
    if (!status) continue;  // replaced by the next pass
    auto& document = documents_[path];
    document.told = text;
    if (status->configuration && !document.part) {
      document.part = HostPart{std::move(status->conditions), std::move(*status->configuration), false};
    }
    status->conditions.clear();
    status->configuration.reset();
    if (status->phase == InstancePhase::Configuring) status->phase = InstancePhase::Running;
    if (!document.life) document.life = std::move(*status);
  }
}

/// Under the lock. Nothing is told of a host before its machine's life has spoken.
void InstanceBoard::tell(const std::string& path, Document& document, const std::string& headline) {
  if (!document.life) return;
  registry::InstanceStatus status = *document.life;
  if (document.part) {
    status.conditions = document.part->conditions;
    status.configuration = document.part->record;
    if (document.part->correcting && status.phase == InstancePhase::Running) status.phase = InstancePhase::Configuring;
  }
  std::string text = registry::to_text(status);
  if (text == document.told) return;
  document.told = text;
  publish_(path, text, headline);
}

}  // namespace nimbus::controller
