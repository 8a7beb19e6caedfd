#include "reconcilers/firmware/decide.hpp"

#include <fmt/core.h>

namespace nimbus::reconcilers {
namespace {

using Kind = FirmwareDecision::Kind;

constexpr const char* kNotOffered = "not offered";

std::string on_off(bool on) { return on ? "true" : "false"; }

std::string value_in(const BiosAttributes& attributes, const std::string& name) {
  const auto found = attributes.find(name);
  return found == attributes.end() ? std::string() : found->second;
}

}  // namespace

std::vector<Drift> compare_firmware(const DesiredMachine& desired, const FirmwareView& view) {
  std::vector<Drift> out;
  if (view.bios) {
    for (const auto& [name, wanted] : desired.bios) {
      const auto current = view.bios->current.find(name);
      const bool offered = current != view.bios->current.end();
      const std::string pending = value_in(view.bios->pending, name);
      // As wanted now, and another value waits: the next start takes it away.
      const bool stays = pending.empty() || pending == wanted;
      if (offered && current->second == wanted && stays) continue;
      out.push_back({"bios." + name, wanted, offered ? current->second : kNotOffered, pending});
    }
  }
  if (desired.boot.secure_boot && view.secure_boot) {
    const auto& seen = *view.secure_boot;
    const bool wanted = *desired.boot.secure_boot;
    if (seen.enabled_now != wanted || seen.enabled_next != wanted) {
      const bool waits = seen.enabled_next != seen.enabled_now;
      out.push_back(
          {"boot.secure_boot", on_off(wanted), on_off(seen.enabled_now), waits ? on_off(seen.enabled_next) : ""});
    }
  }
  return out;
}

FirmwareDecision decide_firmware(const DesiredMachine& desired, const FirmwareView& view,
                                 const FirmwareMoment& moment) {
  const auto drifts = compare_firmware(desired, view);
  if (drifts.empty()) return {};
  if (desired.enforcement == Enforcement::Observe) {
    return {Kind::Report, {}, {}, "firmware settings differ; enforcement = \"observe\" only reports"};
  }
  FirmwareDecision stage{Kind::Stage, {}, {}, "firmware settings differ and the machine may be restarted"};
  for (const auto& drift : drifts) {
    if (drift.observed == kNotOffered && drift.key.starts_with("bios.")) {
      return {Kind::Hold, {}, {}, fmt::format("this firmware has no setting {}", drift.key.substr(5))};
    }
    const std::string next = drift.pending.empty() ? drift.observed : drift.pending;
    if (next == drift.desired) continue;
    if (drift.key == "boot.secure_boot") {
      stage.secure_boot = drift.desired == "true";
    } else {
      stage.bios[drift.key.substr(5)] = drift.desired;
    }
  }
  const bool staged = stage.bios.empty() && !stage.secure_boot;
  if (moment.restarts >= kMostFirmwareRestarts) {
    return {Kind::Hold, {}, {}, fmt::format("{} is not kept after {} restarts", drifts.front().key, moment.restarts)};
  }
  if (staged && !moment.on) return {Kind::Wait, {}, {}, "firmware settings count from the next start"};
  if (!moment.closed.empty()) return {Kind::Wait, {}, {}, "firmware settings " + moment.closed};
  if (!staged) return stage;
  return {Kind::Restart, {}, {}, "restart: firmware settings wait for it"};
}

}  // namespace nimbus::reconcilers
