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

namespace nimbus::test {
namespace {

namespace fs = std::filesystem;

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

Root::Root(std::string_view size)
    : passes_([this](std::string script) {
        auto result = run(std::move(script));
        return Answer{std::move(result.output.text), std::move(result.errors.text)};
      }) {
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

void settles(Root& root, const host::Configuration& wanted) {
  const auto pass = root.converge(wanted);
  CHECK_MESSAGE(pass.converged(), pass.text());
  const auto again = root.converge(wanted);
  CHECK_MESSAGE(again.converged(), again.text());
  CHECK(again.probes == 1);
  CHECK(again.corrections == 0);
  CHECK(root.leftovers() == "");
}

}  // namespace nimbus::test
