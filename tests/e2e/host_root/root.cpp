#include "root.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/time/time.hpp"
#include "reconcilers/configure/compare.hpp"
#include "reconcilers/configure/order.hpp"
#include "reconcilers/configure/probe.hpp"

namespace nimbus::test {
namespace {

namespace fs = std::filesystem;
using namespace reconcilers::configure;

constexpr std::chrono::seconds kLongest{240};

void must(bool held, const std::string& what) {
  if (!held) {
    std::perror(what.c_str());
    std::abort();
  }
}

fs::path base_root() { return fs::path(NIMBUS_SOURCE) / "build" / "host-root"; }

}  // namespace

std::string enter_namespaces() {
  if (geteuid() != 0) return "a root of one's own needs root";
  if (!fs::exists(base_root())) {
    const auto script = std::string(NIMBUS_SOURCE) + "/scripts/build-host-root";
    // Not a reason to skip: whoever may make it must have it.
    must(std::system(script.c_str()) == 0, "scripts/build-host-root");  // NOLINT(concurrency-mt-unsafe)
  }
  if (unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWNET) != 0) return std::string("unshare: ") + std::strerror(errno);
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return std::string("mount: ") + std::strerror(errno);
  return {};
}

const Outcome* Pass::outcome(std::string_view id) const {
  for (auto it = outcomes.rbegin(); it != outcomes.rend(); ++it) {
    if (it->resource == id) return &*it;
  }
  return nullptr;
}

std::string Pass::text() const {
  std::string out;
  for (const auto& it : outcomes) {
    if (it.kind != Outcome::Kind::Done || !gaps.empty()) {
      out += it.resource + ": " + std::to_string(static_cast<int>(it.kind)) + ", status " +
             std::to_string(it.exit_status) + ": " + it.said + "\n";
    }
  }
  for (const auto& gap : gaps) {
    out += "gap " + gap.resource + " " + gap.problem;
    for (const auto& drift : gap.drifts)
      out += " [" + drift.key + ": " + drift.observed + " instead of " + drift.desired + "]";
    out += "\n";
  }
  return out;
}

Root::Root(std::string_view size) {
  char name[] = "/tmp/nimbus-host-root-XXXXXX";
  must(mkdtemp(name) != nullptr, "mkdtemp");
  folder_ = name;
  root_ = folder_ / "root";
  must(mount("tmpfs", folder_.c_str(), "tmpfs", 0, ("size=" + std::string(size)).c_str()) == 0, "mount tmpfs");
  for (const char* part : {"upper", "work", "root"}) fs::create_directory(folder_ / part);
  const auto options = "lowerdir=" + base_root().string() + ",upperdir=" + (folder_ / "upper").string() +
                       ",workdir=" + (folder_ / "work").string();
  must(mount("overlay", root_.c_str(), "overlay", 0, options.c_str()) == 0, "mount overlay");
  must(mount("proc", (root_ / "proc").c_str(), "proc", 0, nullptr) == 0, "mount proc");
  must(mount("/dev", (root_ / "dev").c_str(), nullptr, MS_BIND, nullptr) == 0, "mount dev");
  must(mount("tmpfs", (root_ / "run").c_str(), "tmpfs", 0, "size=4m") == 0, "mount run");
}

Root::~Root() {
  umount2(folder_.c_str(), MNT_DETACH);
  std::error_code ignored;
  fs::remove(folder_, ignored);
}

std::string Root::next_token() { return "tok" + std::to_string(++tokens_); }

base::ProgramResult Root::run(std::string script) {
  const base::SystemClock clock;
  base::Program program;
  program.argv = {"chroot", root_.string()};
  program.argv.insert(program.argv.end(), shell.begin(), shell.end());
  program.environment = {"PATH=" + search_path, "HOME=/root"};
  program.input = std::move(script);
  program.output_limit_bytes = std::size_t{8} << 20U;
  auto result = base::run_program(program, {clock.now() + kLongest}, clock);
  REQUIRE_MESSAGE(result, "chroot");
  REQUIRE(result->end != base::ProgramEnd::TimedOut);
  return *result;
}

std::string Root::sh(const std::string& script) {
  const auto result = run("set -e\n" + script);
  REQUIRE_MESSAGE(result.exit_code == 0, script, "\n", result.output.text, result.errors.text);
  return result.output.text;
}

host::Facts Root::probe(const host::Configuration& wanted) {
  const auto token = next_token();
  const auto result = run(probe_script(wanted, token));
  CHECK_MESSAGE(result.errors.text.empty(), result.errors.text);
  auto facts = read_probe(result.output.text, wanted, token);
  REQUIRE_MESSAGE(facts, (facts ? "" : facts.error().text()), "\n", result.output.text.substr(0, 4000));
  return *facts;
}

Pass Root::converge(const host::Configuration& wanted) {
  const auto order = order_of(wanted);
  REQUIRE(order);
  Pass pass;
  std::set<std::string> failed, done;
  while (true) {
    pass.facts = probe(wanted);
    ++pass.probes;
    pass.gaps = compare(wanted, pass.facts);
    // What is not as declared after it was done never will be: not tried again.
    for (const auto& gap : pass.gaps) {
      if (done.contains(gap.resource) && !gap.notified) failed.insert(gap.resource);
    }
    const auto token = next_token();
    const auto correction = next_correction(wanted, *order, pass.gaps, pass.facts, failed, token);
    if (correction.resources.empty()) return pass;
    ++pass.corrections;
    REQUIRE(pass.corrections < 40);
    const auto result = run(correction.script);
    CHECK_MESSAGE(result.errors.text.empty(), result.errors.text);
    for (auto& outcome : read_outcomes(correction, result.output.text, token)) {
      (outcome.kind == Outcome::Kind::Done ? done : failed).insert(outcome.resource);
      pass.outcomes.push_back(std::move(outcome));
    }
  }
}

Correction Root::first_correction(const host::Configuration& wanted) {
  const auto order = order_of(wanted);
  REQUIRE(order);
  const auto facts = probe(wanted);
  return next_correction(wanted, *order, compare(wanted, facts), facts, {}, next_token());
}

std::string Root::read(const std::string& path) const {
  std::ifstream in(root_ / path.substr(1), std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

void Root::write(const std::string& path, const std::string& text) const {
  std::ofstream(root_ / path.substr(1), std::ios::binary) << text;
}

bool Root::exists(const std::string& path) const { return fs::exists(fs::symlink_status(root_ / path.substr(1))); }

std::string Root::leftovers() {
  return sh("find / -xdev \\( -name '.nimbus*' -o -name '*.nimbus-new' -o -path '/var/lib/nimbus/*/*' \\) -print");
}

}  // namespace nimbus::test
