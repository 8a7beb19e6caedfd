// What changes a machine's settings, through every profile and quirk about it: virtual
// media, BIOS attributes, secure boot, accounts, restart of the BMC. The simulator's
// journal says what reached the machine.
#include <doctest/doctest.h>

#include <functional>

#include "core/ports/bmc_manage.hpp"
#include "simulator.hpp"

using namespace nimbus;
using namespace nimbus::peer;
using namespace std::chrono_literals;

namespace {

constexpr const char* kFirst = "http://192.0.2.1/img/a/boot.iso";
constexpr const char* kSecond = "http://192.0.2.1/img/b/boot.iso";

struct Attached {
  std::string name;
  std::unique_ptr<Bmc> bmc;
};

/// As the controller does it: the identity first, and again after what passes by itself.
template <class T>
Result<T> settled(Bmc& bmc, const std::function<Result<T>()>& act) {
  Result<T> done = Error{};
  const auto deadline = in(40s);  // iDRAC: 20 s until its data sources are back
  while (true) {
    if (auto identity = bmc.identity()->identity({in(5s)}); !identity) {
      done = std::move(identity.error());
    } else {
      done = act();
    }
    if (done || std::chrono::steady_clock::now() > deadline) return done;
    if (!is_transient(done.error().code) && done.error().code != Code::Conflict) return done;
    std::this_thread::sleep_for(50ms);
  }
}

Result<WriteOutcome> write(Bmc& bmc, const std::function<Result<WriteOutcome>()>& act) {
  return settled<WriteOutcome>(bmc, act);
}

std::string text(const auto& result) { return result ? std::string("ok") : result.error().text(); }

void for_each(const std::vector<Subject>& all, const std::function<void(Simulator&, const std::string&, Bmc&)>& check) {
  Simulator simulator(all);
  const OneSecret secrets("password");
  const auto driver = redfish::make_redfish_driver({});
  for (std::size_t i = 0; i < all.size(); ++i) {
    CAPTURE(all[i].name);
    auto bmc = driver->attach({.driver = "redfish",
                               .address = simulator.url(i),
                               .tls = {.pins = {simulator.pin}},
                               .credentials = {"bmc/1"},
                               .quirks = all[i].forced},
                              secrets);
    REQUIRE(bmc.has_value());
    check(simulator, all[i].name, **bmc);
    (*bmc)->close({in(2s)});
  }
}

std::string inserted_image(Bmc& bmc) {
  const auto slots = bmc.media()->slots({in(5s)});
  if (!slots) return slots.error().text();
  std::string out;
  for (const auto& slot : *slots) {
    if (slot.cd) out += slot.image;
  }
  return out;
}

}  // namespace

TEST_CASE("nimbus-sim: an image in, another one, out, through every profile and quirk") {
  for_each(profiles_and({"RF-01", "RF-11",  "RF-20",  "RF-20b", "RF-21", "RF-22", "RF-41",
                         "RF-44", "RF-45",  "VM-01",  "VM-02",  "VM-03", "VM-04", "VM-05",
                         "VM-06", "VM-06b", "VM-06c", "VM-07",  "VM-08", "VM-09", "VM-14"}),
           [](Simulator& simulator, const std::string& name, Bmc& bmc) {
             const auto insert = [&](const char* url) {
               return write(bmc, [&] { return bmc.media()->insert_cd(url, {in(5s)}); });
             };
             const auto first = insert(kFirst);
             CHECK_MESSAGE(first == WriteOutcome::Accepted, text(first));
             CHECK(inserted_image(bmc) == kFirst);
             CHECK(insert(kFirst) == WriteOutcome::AlreadySo);
             const auto second = insert(kSecond);
             CHECK_MESSAGE(second == WriteOutcome::Accepted, text(second));
             CHECK(inserted_image(bmc) == kSecond);
             const auto out = write(bmc, [&] { return bmc.media()->eject_cd({in(5s)}); });
             CHECK_MESSAGE(out == WriteOutcome::Accepted, text(out));
             CHECK(inserted_image(bmc).empty());
             CHECK(write(bmc, [&] { return bmc.media()->eject_cd({in(5s)}); }) == WriteOutcome::AlreadySo);
             CHECK(simulator.count(name, "media-inserted") == 2);
             CHECK(simulator.count(name, "media-ejected") == 2);
             CHECK(insert("gopher://x/y.iso").error().code == Code::Unsupported);
           });
}

TEST_CASE("nimbus-sim: BIOS attributes are staged, applied by a restart, and only those") {
  for_each(profiles_and({"RF-11", "RF-20", "RF-40", "RF-41", "RF-44", "BM-01", "BM-03", "BM-04", "BM-06"}),
           [](Simulator& simulator, const std::string& name, Bmc& bmc) {
             const BiosAttributes wanted = {
                 {"SriovGlobalEnable", "Enabled"}, {"AcPwrRcvryDelay", "120"}, {"QuietBoot", "false"}};
             const auto stage = [&](const BiosAttributes& what) {
               return write(bmc, [&] { return bmc.settings()->stage_bios(what, {in(5s)}); });
             };
             const auto before = bmc.settings()->bios({in(5s)});
             REQUIRE_MESSAGE(before.has_value(), text(before));
             CHECK(before->current.at("SriovGlobalEnable") == "Disabled");
             CHECK(before->current.at("AcPwrRcvryDelay") == "60");
             CHECK(before->current.at("QuietBoot") == "true");
             CHECK(before->pending.empty());

             const auto staged = stage(wanted);
             CHECK_MESSAGE(staged == WriteOutcome::Accepted, text(staged));
             const auto pending = bmc.settings()->bios({in(5s)});
             REQUIRE(pending.has_value());
             CHECK(pending->current == before->current);
             CHECK(pending->pending == wanted);
             CHECK(stage(wanted) == WriteOutcome::AlreadySo);
             CHECK(stage({{"NoSuchThing", "1"}}).error().code == Code::Invalid);
             CHECK(stage({{"AcPwrRcvryDelay", "soon"}}).error().code == Code::Invalid);
             CHECK(stage({{"AcPwrRcvryDelay", "99999"}}).error().code == Code::Invalid);  // the BMC's own words
             CHECK(stage({{"SystemBiosVersion", "9"}}).error().code == Code::Invalid);
             CHECK(simulator.count(name, "bios-settings") == 0);  // nothing was staged that never applies

             (void)simulator.control("POST", "/machines/" + name + "/power", R"({"action":"On"})");
             const bool dropped = name == "xcc" || name == "q-bm-06";
             const auto deadline = in(10s);
             while (simulator.count(name, dropped ? "settings-dropped" : "settings-applied") == 0) {
               REQUIRE(std::chrono::steady_clock::now() < deadline);
               std::this_thread::sleep_for(20ms);
             }
             const auto after = bmc.settings()->bios({in(5s)});
             REQUIRE(after.has_value());
             CHECK(after->pending.empty());
             CHECK((after->current.at("AcPwrRcvryDelay") == "120") == !dropped);
             CHECK(after->current.at("LogicalProc") == before->current.at("LogicalProc"));
           });
}

TEST_CASE("nimbus-sim: the boot order is read and written through every profile") {
  for_each(profiles_and({"RF-01", "RF-11", "RF-20", "RF-20b", "RF-40", "RF-41", "RF-42", "RF-44", "RF-50", "RF-50b",
                         "RF-54", "RF-58"}),
           [](Simulator& simulator, const std::string& name, Bmc& bmc) {
             using Ids = std::vector<std::string>;
             const auto read = [&] {
               return settled<BootOrder>(bmc, [&] { return bmc.boot()->boot_order({in(5s)}); });
             };
             const auto set = [&](const Ids& first) {
               return write(bmc, [&] { return bmc.boot()->set_boot_order(first, {in(5s)}); });
             };
             const auto ids = [](const std::vector<BootEntry>& entries) {
               Ids out;
               for (const auto& entry : entries) out.push_back(entry.id);
               return out;
             };
             const bool http = name != "xcc" && name != "openbmc" && name != "q-rf-58";
             const bool settings = name == "idrac10" || name == "xcc" || name == "q-rf-50" || name == "q-rf-50b";
             Ids usual{"Boot0000", "Boot0001", "Boot0002", "Boot0003"};
             Ids wanted{"Boot0001", "Boot0000", "Boot0002", "Boot0003"};
             if (http) {
               usual.emplace_back("Boot0004");
               wanted.emplace_back("Boot0004");
             }
             const auto before = read();
             REQUIRE_MESSAGE(before.has_value(), text(before));
             CHECK(ids(before->next) == usual);
             CHECK(before->now == usual);
             CHECK(before->next[1].name == "PXE: NIC1");

             const auto put = set({"Boot0001"});
             CHECK_MESSAGE(put == WriteOutcome::Accepted, text(put));
             CHECK(set({"Boot0001", "Boot0000"}) == WriteOutcome::AlreadySo);
             CHECK(simulator.count(name, "boot-order") == 1);
             const auto after = read();
             REQUIRE_MESSAGE(after.has_value(), text(after));
             CHECK(ids(after->next) == wanted);
             CHECK(after->now == (settings ? usual : wanted));
             CHECK(set({"Boot0009"}).error().code == Code::Invalid);

             (void)simulator.control("POST", "/machines/" + name + "/power", R"({"action":"On"})");
             const auto deadline = in(10s);
             while (simulator.count(name, "booted") == 0) {
               REQUIRE(std::chrono::steady_clock::now() < deadline);
               std::this_thread::sleep_for(20ms);
             }
             CHECK(simulator.last_boot_device(name) == "pxe");
             CHECK(simulator.count(name, "boot-order-applied") == (settings ? 1 : 0));
             const auto booted = read();
             REQUIRE_MESSAGE(booted.has_value(), text(booted));
             CHECK(booted->now == wanted);
           });
}

TEST_CASE("nimbus-sim: secure boot is asked for; a missing licence is said to be one") {
  for_each(profiles_and({"RF-40", "RF-42", "RF-44", "BM-09"}), [](Simulator&, const std::string& name, Bmc& bmc) {
    const auto before = bmc.settings()->secure_boot({in(5s)});
    REQUIRE_MESSAGE(before.has_value(), text(before));
    const bool wanted = !before->enabled_next;
    const auto set = write(bmc, [&] { return bmc.settings()->set_secure_boot(wanted, {in(5s)}); });
    if (name == "supermicro" || name == "q-bm-09") {
      CHECK(set.error().code == Code::Unsupported);
      return;
    }
    CHECK_MESSAGE(set == WriteOutcome::Accepted, text(set));
    const auto after = bmc.settings()->secure_boot({in(5s)});
    REQUIRE(after.has_value());
    CHECK(after->enabled_next == wanted);
    CHECK(after->enabled_now == before->enabled_now);
    CHECK(write(bmc, [&] { return bmc.settings()->set_secure_boot(wanted, {in(5s)}); }) == WriteOutcome::AlreadySo);
  });
}

TEST_CASE("nimbus-sim: accounts are made, taken over and disabled; the new password is the one that works") {
  for_each(profiles_and({"RF-20", "RF-40", "RF-44"}), [](Simulator& simulator, const std::string& name, Bmc& bmc) {
    const Secret first("first-Pass-1");
    const Secret second("second-Pass-2");
    const auto put = [&](const Secret& password) {
      return settled<Account>(
          bmc, [&] { return bmc.accounts()->put_account("nimbus", password, AccountRole::Administrator, {in(5s)}); });
    };
    const auto made = put(first);
    REQUIRE_MESSAGE(made.has_value(), text(made));
    CHECK(made->name == "nimbus");
    CHECK(made->enabled);
    CHECK(made->role == AccountRole::Administrator);
    const auto again = put(second);
    REQUIRE_MESSAGE(again.has_value(), text(again));
    CHECK(again->id == made->id);
    const auto all = bmc.accounts()->accounts({in(5s)});
    REQUIRE(all.has_value());
    CHECK(all->size() == 2);
    CHECK(put(Secret(std::string(200, 'x'))).error().code == Code::Invalid);

    struct Nimbus final : Secrets {
      std::string password;
      Result<Credential> credential(std::string_view secret, std::string_view) const override {
        return Credential{.name = std::string(secret), .username = "nimbus", .password = Secret(password), .k_g = {}};
      }
    } secrets;
    const auto all_subjects = profiles_and({"RF-20", "RF-40", "RF-44"});
    const auto index = static_cast<std::size_t>(
        std::find_if(all_subjects.begin(), all_subjects.end(), [&](const Subject& one) { return one.name == name; }) -
        all_subjects.begin());
    const auto log_in = [&](const Secret& password) {
      secrets.password = password.reveal();
      const auto driver = redfish::make_redfish_driver({});
      auto other = driver->attach({.driver = "redfish",
                                   .address = simulator.url(index),
                                   .tls = {.pins = {simulator.pin}},
                                   .credentials = {"bmc/nimbus"}},
                                  secrets);
      const auto power = (*other)->power()->power({in(5s)});
      (*other)->close({in(2s)});
      return power;
    };
    const auto with_second = log_in(second);
    CHECK_MESSAGE(with_second.has_value(), text(with_second));
    CHECK(log_in(first).error().code == Code::Auth);
    const auto disabled = write(bmc, [&] { return bmc.accounts()->disable_account(*again, {in(5s)}); });
    CHECK_MESSAGE(disabled == WriteOutcome::Accepted, text(disabled));
    CHECK(write(bmc, [&] { return bmc.accounts()->disable_account(*again, {in(5s)}); }) == WriteOutcome::AlreadySo);
    CHECK(log_in(second).error().code == Code::Auth);
  });
}

TEST_CASE("nimbus-sim: the BMC restarts and the machine does not; the session is gone") {
  for_each(profiles_and({}), [](Simulator& simulator, const std::string& name, Bmc& bmc) {
    REQUIRE(bmc.identity()->identity({in(5s)}).has_value());
    const auto session = bmc.identity()->session();
    const auto done = bmc.reset()->reset_bmc({in(5s)});
    REQUIRE_MESSAGE(done.has_value(), text(done));
    CHECK(bmc.reset()->reset_bmc({in(5s)}).error().code == Code::Conflict);
    const auto back = settled<PowerState>(bmc, [&] { return bmc.power()->power({in(2s)}); });
    CHECK_MESSAGE(back == PowerState::Off, text(back));
    CHECK(bmc.identity()->session() != session);
    CHECK(simulator.count(name, "bmc-restart") == 1);
    CHECK(simulator.count(name, "host-reset") == 0);
  });
}
