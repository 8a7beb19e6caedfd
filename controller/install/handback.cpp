#include "controller/install/handback.hpp"

#include <algorithm>
#include <map>

#include "base/text/text.hpp"
#include "core/ports/bmc_observe.hpp"

namespace nimbus::controller {
namespace {

constexpr std::size_t kMostText = 300;

std::string shown(const std::string& text) { return base::printable(text, 64); }

void append(std::string& list, const std::string& text) {
  if (list.size() < kMostText) list += (list.empty() ? "" : ", ") + text;
}

/// Nothing: not offered. Errors: those that may be gone the next time.
template <class T>
Result<std::optional<T>> ask(const std::function<Result<T>()>& question) {
  auto answer = question();
  if (answer) return std::optional<T>(std::move(*answer));
  if (is_transient(answer.error().code)) return std::move(answer.error());
  return std::optional<T>();
}

Result<std::optional<std::vector<Account>>> accounts_of(Bmc& bmc, const Call& call) {
  if (bmc.accounts() == nullptr) return std::optional<std::vector<Account>>();
  return ask<std::vector<Account>>([&] { return bmc.accounts()->accounts(call); });
}

Result<std::optional<std::vector<FirmwareVersion>>> firmware_of(Bmc& bmc, const Call& call) {
  if (bmc.inventory() == nullptr) return std::optional<std::vector<FirmwareVersion>>();
  return ask<std::vector<FirmwareVersion>>([&] { return bmc.inventory()->firmware(call); });
}

Result<std::optional<std::vector<BootEntry>>> boot_order_of(Bmc& bmc, const Call& call) {
  if (bmc.boot() == nullptr) return std::optional<std::vector<BootEntry>>();
  return ask<std::vector<BootEntry>>([&]() -> Result<std::vector<BootEntry>> {
    auto order = bmc.boot()->boot_order(call);
    if (!order) return std::move(order.error());
    return std::move(order->next);
  });
}

class Checks {
 public:
  explicit Checks(HandBack& out) : out_(out) {}
  void note(std::string what, std::string result, std::string detail = {}) {
    out_.checks.push_back({std::move(what), std::move(result), std::move(detail)});
  }
  void miss(const std::string& what, std::string result, const std::string& why) {
    out_.missing += (out_.missing.empty() ? "" : "; ") + why;
    note(what, std::move(result), why);
  }
  /// The outcome of something that is done.
  void act(const std::string& what, const Result<>& outcome) {
    if (outcome) return note(what, "done");
    if (outcome.error().code == Code::Unsupported) return note(what, "not-offered");
    miss(what, "failed", what + ": " + outcome.error().text());
  }

 private:
  HandBack& out_;
};

template <class T>
void compare(Checks& checks, const std::string& what, const std::optional<T>& before,
             const Result<std::optional<T>>& now, const std::function<std::string(const T&, const T&)>& difference,
             const std::function<void(const std::string&)>& differs) {
  if (!now) return checks.miss(what, "failed", what + ": " + now.error().text());
  if (!*now) return checks.note(what, "not-offered");
  if (!before) return checks.note(what, "unknown", "not read before the instance had the machine");
  const std::string text = difference(*before, **now);
  if (text.empty()) return checks.note(what, "same");
  differs(text);
}

/// An installed system puts itself first, and its entry stays when its disk is erased.
void restore_order(Checks& checks, Bmc& bmc, const std::optional<std::vector<BootEntry>>& before,
                   const std::function<Result<>(const std::vector<std::string>& first)>& put, const Call& call) {
  const auto now = boot_order_of(bmc, call);
  if (!now) return checks.miss("boot-order", "failed", "boot-order: " + now.error().text());
  if (!*now) return checks.note("boot-order", "not-offered");
  if (!before) return checks.note("boot-order", "unknown", "not read before the instance had the machine");
  const auto back = order_back(*before, **now);
  std::string differs = back.came.empty() ? "" : "new, at the end: " + back.came;
  if (!back.went.empty()) differs += (differs.empty() ? "gone: " : "; gone: ") + back.went;
  std::vector<std::string> head;
  for (const auto& entry : **now) head.push_back(entry.id);
  head.resize(std::min(head.size(), back.first.size()));
  if (head == back.first) return checks.note("boot-order", differs.empty() ? "same" : "differs", differs);
  if (auto done = put(back.first); !done) {
    return checks.miss("boot-order", "failed", "boot-order: " + done.error().text());
  }
  checks.note("boot-order", "restored", differs);
}

}  // namespace

Result<Baseline> read_baseline(Bmc& bmc, const Call& call) {
  Baseline baseline;
  auto accounts = accounts_of(bmc, call);
  if (!accounts) return std::move(accounts.error()).with("while reading the BMC's accounts");
  auto firmware = firmware_of(bmc, call);
  if (!firmware) return std::move(firmware.error()).with("while reading firmware versions");
  auto order = boot_order_of(bmc, call);
  if (!order) return std::move(order.error()).with("while reading the boot order");
  baseline.boot_order = std::move(*order);
  baseline.accounts = std::move(*accounts);
  baseline.firmware = std::move(*firmware);
  return baseline;
}

HandBack hand_back(Bmc& bmc, const std::optional<Baseline>& baseline, bool accept,
                   const std::function<Result<>(const std::function<Result<>(const Call&)>&)>& guarded,
                   const Call& call) {
  HandBack out;
  Checks checks(out);
  const Baseline before = baseline.value_or(Baseline{});
  const auto write = [&](const auto& operation) {
    return guarded([&](const Call& while_permitted) -> Result<> {
      auto outcome = operation(while_permitted);
      if (!outcome) return std::move(outcome.error());
      return {};
    });
  };
  if (bmc.media() == nullptr) {
    checks.note("virtual-media", "not-offered");
  } else {
    checks.act("virtual-media", write([&](const Call& now) { return bmc.media()->eject_cd(now); }));
  }
  if (bmc.boot() == nullptr) {
    checks.note("boot-override", "not-offered");
  } else {
    checks.act("boot-override", write([&](const Call& now) { return bmc.boot()->arm_boot(BootOverride{}, now); }));
  }
  restore_order(
      checks, bmc, before.boot_order,
      [&](const auto& first) { return write([&](const Call& now) { return bmc.boot()->set_boot_order(first, now); }); },
      call);
  const auto accounts = accounts_of(bmc, call);
  compare<std::vector<Account>>(
      checks, "accounts", before.accounts, accounts, more_accounts, [&](const std::string& text) {
        if (accept) {
          out.accepted = *accounts;
          return checks.note("accounts", "accepted", text);
        }
        checks.miss("accounts", "differs", "the BMC has accounts that it did not have before: " + text);
      });
  // Less than before lets nobody in: told, and no more.
  const bool both = before.accounts && accounts && *accounts;
  const std::string less = both ? more_accounts(**accounts, *before.accounts) : std::string();
  if (auto& last = out.checks.back(); last.result == "same" && !less.empty())
    last = {"accounts", "differs", "no longer as before: " + less};
  compare<std::vector<FirmwareVersion>>(checks, "firmware", before.firmware, firmware_of(bmc, call), other_versions,
                                        [&](const std::string& text) { checks.note("firmware", "differs", text); });
  return out;
}

std::string more_accounts(const std::vector<Account>& before, const std::vector<Account>& now) {
  std::string more;
  for (const auto& account : now) {
    if (!account.enabled) continue;
    const bool known = std::any_of(before.begin(), before.end(), [&](const auto& old) {
      return old.name == account.name && old.enabled && old.role == account.role;
    });
    if (!known) append(more, shown(account.name));
  }
  return more;
}

OrderBack order_back(const std::vector<BootEntry>& before, const std::vector<BootEntry>& now) {
  // Firmware gives the number of an entry that is gone to another one.
  const auto is_in = [](const std::vector<BootEntry>& list, const BootEntry& wanted) {
    return std::any_of(list.begin(), list.end(), [&](const auto& one) {
      return one.id == wanted.id && (one.name == wanted.name || one.name.empty() || wanted.name.empty());
    });
  };
  const auto text = [](const BootEntry& entry) {
    return shown(entry.id) + (entry.name.empty() ? "" : " " + shown(entry.name));
  };
  OrderBack back;
  for (const auto& entry : before) {
    if (is_in(now, entry)) {
      back.first.push_back(entry.id);
    } else {
      append(back.went, text(entry));
    }
  }
  for (const auto& entry : now) {
    if (!is_in(before, entry)) append(back.came, text(entry));
  }
  return back;
}

std::string other_versions(const std::vector<FirmwareVersion>& before, const std::vector<FirmwareVersion>& now) {
  const auto by_component = [](const std::vector<FirmwareVersion>& list) {
    std::multimap<std::string, std::string> out;
    for (const auto& one : list) out.emplace(one.component, one.version);
    return out;
  };
  const auto old = by_component(before);
  std::string other;
  for (const auto& is : by_component(now)) {
    const auto [first, last] = old.equal_range(is.first);
    if (std::any_of(first, last, [&is](const auto& was) { return was.second == is.second; })) continue;
    append(other, shown(is.first) + " " + (first == last ? "none" : shown(first->second)) + " -> " + shown(is.second));
  }
  return other;
}

}  // namespace nimbus::controller
