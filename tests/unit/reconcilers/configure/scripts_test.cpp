// The generated text: shells accept it, it is as reviewed (golden), and people see no secret.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "base/process/process.hpp"
#include "base/time/time.hpp"
#include "reconcilers/configure/compare.hpp"
#include "reconcilers/configure/correct.hpp"
#include "reconcilers/configure/order.hpp"
#include "reconcilers/configure/prelude.hpp"
#include "reconcilers/configure/probe.hpp"
#include "reconcilers/configure/shell.hpp"
#include "support/host_sample.hpp"

using namespace nimbus;
using namespace nimbus::reconcilers::configure;
using namespace nimbus::test;

namespace {

constexpr const char* kToken = "T0ken";
const std::vector<std::vector<std::string>> kShells = {{"dash"}, {"busybox", "sh"}, {"bash", "--posix"}};

base::ProgramResult shell(std::vector<std::string> argv, std::string input) {
  const base::SystemClock clock;
  base::Program program;
  program.argv = std::move(argv);
  program.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"};
  program.input = std::move(input);
  auto result = base::run_program(program, {clock.now() + std::chrono::seconds{60}}, clock);
  REQUIRE_MESSAGE(result, program.argv[0]);
  return *result;
}

/// A host that shows nothing of what is wanted, and everything that can be told.
host::Facts empty_host(const host::Configuration& wanted) {
  host::Facts facts;
  facts.root = facts.systemd = true;
  facts.manager = host::PackageManager::Apt;
  facts.hostname = "old";
  for (const auto& resource : wanted.resources) {
    std::visit(
        [&](const auto& it) {
          using T = std::decay_t<decltype(it)>;
          if constexpr (std::is_same_v<T, host::Package>) facts.packages[it.name];
          if constexpr (std::is_same_v<T, host::File> || std::is_same_v<T, host::Directory> ||
                        std::is_same_v<T, host::Link>) {
            facts.paths[it.path];
          }
          if constexpr (std::is_same_v<T, host::Group>) facts.groups[it.name];
          if constexpr (std::is_same_v<T, host::User>) facts.users[it.name];
          if constexpr (std::is_same_v<T, host::Unit>) facts.units[it.name];
          if constexpr (std::is_same_v<T, host::KernelModule>) facts.modules[it.name];
          if constexpr (std::is_same_v<T, host::Mount>) facts.mounts[it.path];
          if constexpr (std::is_same_v<T, host::Swap>) facts.swaps[it.path];
          if constexpr (std::is_same_v<T, host::Block>) facts.blocks[resource.id];
          if constexpr (std::is_same_v<T, host::Command>) facts.commands[resource.id];
          if constexpr (std::is_same_v<T, host::OwnedFiles>)
            facts.owned[it.folder + "/" + it.prefix] = {it.folder + "/nimbus-old"};
        },
        resource.wanted);
  }
  for (const char* id : {"action:apt-update", "action:network", "unit:nginx.service"}) facts.pending.insert(id);
  for (const char* path : {"/etc/old", "/etc/alias"}) facts.paths[path].kind = host::PathKind::File;
  facts.paths["/srv/gone"].kind = host::PathKind::Directory;
  facts.groups["oldies"].exists = facts.users["mallory"].exists = true;
  facts.packages["telnet"].version = "1";
  return facts;
}

/// Every level's correction, as if none of them changed anything.
std::vector<Correction> corrections(const host::Configuration& wanted, const host::Facts& shown) {
  const auto order = order_of(wanted);
  REQUIRE(order);
  auto gaps = compare(wanted, shown);
  std::vector<Correction> out;
  while (true) {
    auto next = next_correction(wanted, *order, gaps, shown, {}, kToken);
    if (next.resources.empty()) return out;
    for (const auto& id : next.resources) {
      std::erase_if(gaps, [&](const Gap& gap) { return gap.resource == id; });
    }
    out.push_back(std::move(next));
  }
}

void golden(const std::string& name, const std::string& text) {
  const auto path = std::string(NIMBUS_TEST_DATA) + "/unit/reconcilers/configure/golden/" + name;
  if (std::getenv("NIMBUS_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << text;
    return;
  }
  std::ifstream in(path);
  std::stringstream there;
  there << in.rdbuf();
  CHECK_MESSAGE(there.str() == text, name, ": NIMBUS_UPDATE_GOLDEN=1 writes it anew; review the difference");
}

}  // namespace

TEST_CASE("configure: the generated scripts are as reviewed") {
  const auto wanted = one_of_each();
  golden("probe.sh", probe_script(wanted, kToken));
  std::string all;
  for (const auto& correction : corrections(wanted, empty_host(wanted))) all += "# level\n" + correction.shown;
  golden("corrections.sh", all);
}

TEST_CASE("configure: every shell accepts every script") {
  const auto wanted = one_of_each();
  std::vector<std::string> scripts = {probe_script(wanted, kToken), kWatchdog};
  for (const auto& correction : corrections(wanted, empty_host(wanted))) scripts.push_back(correction.script);
  host::Facts facts;
  facts.awaiting["action:network"] = kToken;
  scripts.push_back(confirm_script(facts));
  CHECK(scripts.size() > 8);
  for (const auto& words : kShells) {
    auto argv = words;
    argv.emplace_back("-n");
    for (const auto& script : scripts) {
      const auto result = shell(argv, script);
      CHECK_MESSAGE(result.exit_code == 0, words[0], ": ", result.errors.text);
      CHECK(result.errors.text.empty());
    }
  }
}

TEST_CASE("configure: a script that was cut off on its way does nothing") {
  const auto wanted = one_of_each();
  const auto script = corrections(wanted, empty_host(wanted)).front().script;
  const std::string loud = "exit() { :; }\n";  // nothing may end it early but the missing rest
  for (const auto& words : kShells) {
    for (std::size_t tenth = 1; tenth < 10; ++tenth) {
      const auto result = shell(words, loud + script.substr(0, script.size() * tenth / 10));
      CHECK(result.output.text.empty());
    }
    CHECK(shell(words, loud + script.substr(0, script.size() - 2)).output.text.empty());
  }
}

TEST_CASE("configure: what a link points to and what is mounted is never taken for an option") {
  const auto wanted = configuration({resource(host::Link{"/etc/alias", host::Presence::Present, "-n"}),
                                     resource(host::Mount{"-rf", "/srv/t", "tmpfs", "size=1m"})});
  std::string all;
  for (const auto& correction : corrections(wanted, empty_host(wanted))) all += correction.script;
  CHECK(all.find("ln -s -- '-n' './alias'") != std::string::npos);
  CHECK(all.find("mount -t 'tmpfs' -o 'size=1m' -- '-rf' '/srv/t'") != std::string::npos);
}

TEST_CASE("configure: every byte goes through every shell, quoted or printed") {
  std::string all;
  for (int turn = 0; turn < 2; ++turn) {
    for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
    all += "%s\\n\\c'\"";
  }
  std::string no_nul = all;
  std::erase(no_nul, '\0');
  for (const auto& words : kShells) {
    CAPTURE(words[0]);
    CHECK(shell(words, print_command(all)).output.text == all);
    CHECK(shell(words, print_command("")).output.text.empty());
    CHECK(shell(words, print_command(std::string("\0x\0\0", 4))).output.text == std::string("\0x\0\0", 4));
    CHECK(shell(words, "printf %s " + quote(no_nul)).output.text == no_nul);
  }
}

TEST_CASE("configure: people never see what a file holds") {
  const auto wanted = one_of_each();
  const auto shown = empty_host(wanted);
  bool sent = false;
  for (const auto& correction : corrections(wanted, shown)) {
    sent = sent || correction.script.find("s3cr3t") != std::string::npos;
    CHECK(correction.shown.find("s3cr3t") == std::string::npos);
    CHECK(correction.shown.find("a 'quoted'") == std::string::npos);
    CHECK(correction.shown.find("$line") == std::string::npos);
    CHECK(correction.shown.find("10.0.0.1 db") == std::string::npos);
  }
  CHECK(sent);
  for (const auto& gap : compare(wanted, shown)) {
    for (const auto& drift : gap.drifts) {
      CHECK((drift.desired + drift.observed).find("s3cr3t") == std::string::npos);
    }
  }
}

TEST_CASE("configure: a probe has a handful of processes, however many resources") {
  // Counted in the text: what is not a builtin or a function, by kind of resource.
  const auto count = [](std::size_t files) {
    std::vector<host::Resource> resources;
    for (std::size_t at = 0; at < files; ++at)
      resources.push_back(resource(file("/etc/f" + std::to_string(at), "x\n")));
    const auto script = probe_script(configuration(std::move(resources)), kToken);
    std::size_t found = 0;
    for (auto at = script.find("\nstat "); at != std::string::npos; at = script.find("\nstat ", at + 1)) ++found;
    for (auto at = script.find("\nfind "); at != std::string::npos; at = script.find("\nfind ", at + 1)) ++found;
    return found;
  };
  CHECK(count(1) == 2);
  CHECK(count(1000) == 2);
  CHECK(count(20000) < 20);
}

TEST_CASE("configure: a unit that is started anew is not told to reload as well") {
  host::Unit unit{"app.service", true, true};
  unit.reload = "action:reload-app.service";
  const auto wanted = configuration(
      {resource(unit), resource(host::Action{"reload-app.service", "reload", "", 60}, {}, {"unit:app.service"})});
  host::Facts facts;
  facts.systemd = true;
  facts.pending.insert("action:reload-app.service");
  const auto settles_reload = [&] {
    const auto all = corrections(wanted, facts);
    REQUIRE_FALSE(all.empty());
    return all[0].shown.find("settled 'action:reload-app.service'") < all[0].shown.find("# action:");
  };
  auto& fact = facts.units["app.service"] = {.exists = true, .active = "inactive", .enabled = "enabled"};
  CHECK(settles_reload());
  fact.active = "active";
  facts.pending.insert("unit:app.service");
  CHECK(settles_reload());
  // Enabled, and otherwise left as it runs.
  facts.pending.erase("unit:app.service");
  fact.enabled = "disabled";
  CHECK_FALSE(settles_reload());
}
