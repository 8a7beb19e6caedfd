#include "machine.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "drivers/ssh/driver.hpp"
#include "reconcilers/configure/correct.hpp"

namespace nimbus::test {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

// Emulated, on a machine that may have more to do.
constexpr seconds kStart{900}, kLogin{10};

void must(bool held, const std::string& what) {
  if (!held) throw std::runtime_error(what);
}

void shell(const std::string& command) {
  must(std::system(command.c_str()) == 0, command);  // NOLINT(concurrency-mt-unsafe)
}

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string key_in(const fs::path& path) {
  const auto text = read(path);
  return text.substr(0, text.find(' ', text.find(' ') + 1));
}

/// Free right now.
int free_port() {
  const int at = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);  // NOLINT(cppcoreguidelines-pro-type-reinterpret-cast)
  must(bind(at, plain, size) == 0 && getsockname(at, plain, &size) == 0, "no free port");
  close(at);
  return ntohs(address.sin_port);
}

/// What sudo says of a name that the host does not know is no fault of a script.
std::string without_sudo(const std::string& text) {
  std::stringstream in(text);
  std::string out;
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("sudo: unable to resolve host")) out += line + "\n";
  }
  return out;
}

}  // namespace

Machine::Machine()
    : passes_([this](const std::string& script) {
        const auto answer = run(script, longest_);
        if (!answer) {
          MESSAGE("lost: " << answer.error().text());
          return Answer{{}, {}, true};
        }
        return Answer{answer->output, without_sudo(answer->errors), false};
      }) {
  char name[] = "/tmp/nimbus-host-machine-XXXXXX";
  must(mkdtemp(name) != nullptr, "mkdtemp");
  folder_ = name;
  try {
    make_keys();
    start();
    wait_for_start();
  } catch (...) {
    stop();
    throw;
  }
}

Machine::~Machine() { stop(); }

void Machine::make_keys() {
  const auto in = "cd " + folder_.string() + " && ";
  shell(in + "ssh-keygen -q -t ed25519 -N '' -C ours -f own && ssh-keygen -q -t ed25519 -N '' -C host -f host");
  // What the machine finds on its second disk.
  shell(in +
        "mkdir -p root/etc/ssh home/home/nimbus/.ssh && cp host root/etc/ssh/ssh_host_ed25519_key && "
        "cp own.pub home/home/nimbus/.ssh/authorized_keys && chmod 700 home/home/nimbus/.ssh && "
        "chmod 600 home/home/nimbus/.ssh/authorized_keys && "
        "tar -cf seed.tar -C root --owner=0 --group=0 etc/ssh/ssh_host_ed25519_key && "
        "tar -rf seed.tar -C home --owner=1000 --group=1000 home/nimbus/.ssh");
  // A disk for mounts.
  shell(in + "truncate -s 32M data.raw && mke2fs -q -F -t ext4 -L data data.raw");
  own_key_ = key_in(folder_ / "own.pub");
}

void Machine::start() {
  const auto image = std::string(NIMBUS_SOURCE) + "/build/host-machine";
  address_ = "127.0.0.1:" + std::to_string(free_port());
  const auto disk = [](const std::string& file, const char* more) {
    return "file=" + file + ",format=raw,if=virtio" + more;
  };
  std::vector<std::string> words = {
      "qemu-system-x86_64",
      "-nodefaults",
      "-no-user-config",
      "-display",
      "none",
      "-accel",
      "tcg,thread=multi,tb-size=256",
      "-m",
      "512",
      "-smp",
      "1",
      "-kernel",
      image + "/vmlinuz",
      "-initrd",
      image + "/initrd.img",
      "-append",
      "root=/dev/vda rw console=ttyS0 net.ifnames=0 mitigations=off quiet",
      "-drive",
      disk(image + "/disk.ext4", ",snapshot=on,cache=unsafe"),
      "-drive",
      disk((folder_ / "seed.tar").string(), ",readonly=on"),
      "-drive",
      disk((folder_ / "data.raw").string(), ",cache=unsafe"),
      "-netdev",
      "user,id=n0,restrict=on,hostfwd=tcp:" + address_ + "-:22",
      "-device",
      "virtio-net-pci,netdev=n0",
      "-serial",
      "file:" + (folder_ / "console.log").string(),
  };
  // For bonds: nobody is at the other end.
  for (const std::string number : {"1", "2"}) {
    words.insert(words.end(), {"-netdev", "hubport,id=n" + number + ",hubid=" + number, "-device",
                               "virtio-net-pci,netdev=n" + number});
  }
  std::vector<char*> arguments;
  for (auto& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const auto parent = getpid();
  emulator_ = fork();
  must(emulator_ >= 0, "fork");
  if (emulator_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent) execvp(arguments[0], arguments.data());
    _exit(127);
  }
  auto driver = ssh::make_ssh_driver({(folder_ / "own").string(), {}}, clock_);
  must(driver.has_value(), "make_ssh_driver");
  driver_ = std::move(*driver);
  auto host = driver_->attach({address_, key_in(folder_ / "host.pub"), "nimbus"});
  must(host.has_value(), "attach");
  host_ = std::move(*host);
}

void Machine::wait_for_start() {
  const auto until = clock_.now() + kStart;
  std::string last;
  while (true) {
    const auto answer = run("systemctl is-system-running --wait", kLogin * 12);
    if (answer && (answer->output == "running\n" || answer->output == "degraded\n")) return;
    last = answer ? answer->output + answer->errors : answer.error().text();
    must(waitpid(emulator_, nullptr, WNOHANG) == 0, "the emulator ended");
    must(clock_.now() < until, "it does not start: " + last + "\n" + read(folder_ / "console.log"));
    std::this_thread::yield();
  }
}

void Machine::stop() noexcept {
  host_.reset();
  if (emulator_ > 0) {
    kill(emulator_, SIGKILL);
    waitpid(emulator_, nullptr, 0);
  }
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

Result<HostAnswer> Machine::run(const std::string& script, seconds longest) {
  return host_->run({.text = script, .as_root = true, .most_output = std::size_t{8} << 20U}, {clock_.now() + longest});
}

std::string Machine::sh(const std::string& script) {
  const auto answer = run("{ set -e\n" + script + "\n}\n");
  REQUIRE_MESSAGE(answer, script, "\n", (answer ? "" : answer.error().text()));
  REQUIRE_MESSAGE(answer->exit_status == 0, script, "\n", answer->output, answer->errors);
  return answer->output;
}

Pass Machine::converge(const host::Configuration& wanted, seconds longest) {
  longest_ = longest;
  auto pass = passes_.converge(wanted);
  longest_ = seconds{240};
  return pass;
}

int Machine::confirm(const Pass& pass) {
  host_->close({clock_.now() + kLogin});
  const auto answer = run(reconcilers::configure::confirm_script(pass.facts));
  REQUIRE(answer);
  return answer->exit_status;
}

bool Machine::lets_in(seconds longest) {
  host_->close({clock_.now() + seconds{2}});
  const auto answer = run("true\n", longest);
  return answer && answer->exit_status == 0;
}

void Machine::wait_until_it_lets_in() {
  const auto until = clock_.now() + kStart;
  while (!lets_in(kLogin)) REQUIRE(clock_.now() < until);
}

seconds Machine::time_of_a_script() {
  const auto begin = clock_.now();
  REQUIRE(lets_in(kStart));
  return std::chrono::ceil<seconds>(clock_.now() - begin);
}

void Machine::restart() {
  const auto before = sh("cat /proc/sys/kernel/random/boot_id");
  // It may be gone before it answers.
  static_cast<void>(run("systemctl reboot\n", kLogin));
  const auto until = clock_.now() + kStart;
  while (true) {
    host_->close({clock_.now() + seconds{2}});
    const auto answer = run("cat /proc/sys/kernel/random/boot_id\n", kLogin);
    if (answer && answer->exit_status == 0 && answer->output != before) break;
    REQUIRE(clock_.now() < until);
  }
  wait_for_start();
}

}  // namespace nimbus::test
