// nimbus-sim for a test: a fleet on loopback addresses of its own, and its journal.
#pragma once

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cctype>

#include "base/json/json.hpp"
#include "peer.hpp"

namespace nimbus::peer {

/// What is asked of a machine and may come out otherwise than usual.
struct Subject {
  std::string name;
  std::string lines;                // of the fleet file
  std::vector<std::string> forced;  // what the registry would say
};

/// One machine for each vendor profile, and one for each of these quirks.
inline std::vector<Subject> profiles_and(std::initializer_list<const char*> quirks) {
  std::vector<Subject> all;
  for (const char* profile :
       {"polite", "idrac9", "idrac10", "ilo5", "ilo6", "xcc", "supermicro", "openbmc", "ami", "cisco"})
    all.push_back({.name = profile, .lines = "profile = \"" + std::string(profile) + "\"\n", .forced = {}});
  for (const char* quirk : quirks) {
    std::string name = "q-" + std::string(quirk);
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    all.push_back({.name = name, .lines = "quirks = [\"" + std::string(quirk) + "\"]\n", .forced = {}});
  }
  return all;
}

class Simulator {
 public:
  explicit Simulator(const std::vector<Subject>& machines) {
    std::string text = "format = 1\ncontrol = \"unix:" + folder_.path() + "/control.sock\"\n" +
                       "[defaults.timing]\npower_on = \"100ms\"\npower_off = \"100ms\"\nsoft_off = \"100ms\"\n"
                       "post = \"100ms\"\nbmc_reset = \"1s\"\n";
    port_ = 20'000 + static_cast<int>(::getpid() % 20'000);
    int number = 1;
    for (const auto& machine : machines) {
      text += "[[machine]]\nname = \"" + machine.name + "\"\nserial = \"SN-" + machine.name +
              "\"\nredfish = \"127.3.0." + std::to_string(number++) + ":" + std::to_string(port_) + "\"\n" +
              machine.lines;
    }
    std::ofstream(folder_.path() + "/fleet.toml") << text;
    process_ = ::fork();
    if (process_ == 0) {
      const std::string program = NIMBUS_SIM;
      const std::string fleet = folder_.path() + "/fleet.toml";
      ::execl(program.c_str(), program.c_str(), "serve", fleet.c_str(), nullptr);
      std::_Exit(127);
    }
    const auto deadline = in(std::chrono::seconds(20));
    while (true) {
      const auto certificate = control("GET", "/certificate");
      if (const auto json = base::parse_json(certificate)) {
        pin = std::string((*json)["pin"].as_string().value_or(""));
        return;
      }
      if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("nimbus-sim does not start:\n" + text);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  ~Simulator() {
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
  }
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  std::string url(std::size_t index) const {
    return "https://127.3.0." + std::to_string(index + 1) + ":" + std::to_string(port_);
  }
  std::string control(const std::string& method, const std::string& path, const std::string& body = "") {
    FILE* pipe = ::popen(("curl -s -X " + method + (body.empty() ? "" : " -d '" + body + "'") + " --unix-socket " +
                          folder_.path() + "/control.sock http://x" + path)
                             .c_str(),
                         "r");
    std::string out;
    char room[4096];
    while (const std::size_t got = std::fread(room, 1, sizeof room, pipe)) out.append(room, got);
    ::pclose(pipe);
    return out;
  }
  std::string power(const std::string& name) {
    const auto json = base::parse_json(control("GET", "/machines/" + name));
    return json ? std::string((*json)["power"].as_string().value_or("?")) : "?";
  }
  std::string last_boot_device(const std::string& name) {
    const auto json = base::parse_json(control("GET", "/machines/" + name));
    return json ? std::string((*json)["boot"]["last_device"].as_string().value_or("?")) : "?";
  }
  /// How often this happened to the machine, by its own journal.
  std::size_t count(const std::string& name, const std::string& what) {
    const auto json = base::parse_json(control("GET", "/machines/" + name + "/journal"));
    if (!json) return 999;
    const auto& entries = (*json)["entries"].items();
    return static_cast<std::size_t>(std::count_if(
        entries.begin(), entries.end(), [&](const base::Json& entry) { return entry["what"].as_string() == what; }));
  }

  std::string pin;

 private:
  Folder folder_;
  int port_ = 0;
  ::pid_t process_ = -1;
};

}  // namespace nimbus::peer
