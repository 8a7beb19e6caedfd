// Power state of many Redfish BMCs on kept connections: client CPU per poll of our
// driver, against a bare loop of libcurl that asks for the same resource and looks at
// nothing. Same servers, same run, rounds in turns, one BMC at a time.
//
//   bench_redfish_poll NIMBUS_SIM [MACHINES] [ROUNDS]
#include <curl/curl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/http/client.hpp"
#include "core/ports/secrets.hpp"
#include "drivers/redfish/driver.hpp"

using namespace nimbus;
using SteadyClock = std::chrono::steady_clock;

namespace {

Call patience() { return {.deadline = SteadyClock::now() + std::chrono::seconds(30)}; }

struct OneSecret final : Secrets {
  Result<Credential> credential(std::string_view name, std::string_view) const override {
    return Credential{.name = std::string(name), .username = "admin", .password = Secret("password"), .k_g = {}};
  }
};

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

/// Microseconds of CPU per poll of one round over all machines.
template <class Poll>
double round_cost(std::size_t machines, Poll poll) {
  const double before = cpu_seconds();
  for (std::size_t i = 0; i < machines; ++i) poll(i);
  return (cpu_seconds() - before) * 1e6 / static_cast<double>(machines);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "bench_redfish_poll: %s\n", why.c_str());
  std::exit(1);
}

std::size_t discard(char* /*data*/, std::size_t /*one*/, std::size_t size, void* /*user*/) { return size; }

}  // namespace

int main(int count, char** words) {
  if (count < 2) give_up("usage: bench_redfish_poll NIMBUS_SIM [MACHINES] [ROUNDS]");
  const auto machines = static_cast<std::size_t>(count > 2 ? std::atoi(words[2]) : 200);
  const int rounds = count > 3 ? std::atoi(words[3]) : 15;
  char folder[] = "/tmp/nimbus-bench-XXXXXX";
  if (::mkdtemp(folder) == nullptr) give_up("no folder");
  const std::string fleet = std::string(folder) + "/fleet.toml";
  std::ofstream(fleet) << "format = 1\n[[machine]]\nname = \"m{n}\"\ncount = " << machines
                       << "\nredfish = \"127.4.0.1:18443\"\n";
  const ::pid_t simulator = ::fork();
  if (simulator == 0) {
    ::execl(words[1], words[1], "serve", fleet.c_str(), nullptr);
    std::_Exit(127);
  }
  std::vector<std::string> urls;
  for (std::size_t i = 0; i < machines; ++i) {
    const std::size_t host = i + 1;
    // The fleet file counts addresses up, leaving out 0 and 255 of each /24.
    urls.push_back("https://127.4." + std::to_string((host - 1) / 254) + "." + std::to_string((host - 1) % 254 + 1) +
                   ":18443");
  }
  Result<base::SpkiPin> pin = Error{};
  for (int i = 0; i < 500 && !pin; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    pin = base::fetch_pin(urls.back(), patience());
  }
  if (!pin) give_up("nimbus-sim does not answer: " + pin.error().text());

  const OneSecret secrets;
  const auto driver = redfish::make_redfish_driver({});
  std::vector<std::unique_ptr<Bmc>> bmcs;
  for (const auto& url : urls) {
    auto bmc = driver->attach(
        {.driver = "redfish", .address = url, .tls = {.pins = {pin->text()}}, .credentials = {"x"}}, secrets);
    if (!bmc) give_up(bmc.error().text());
    bmcs.push_back(std::move(*bmc));
  }
  const auto poll_driver = [&](std::size_t i) {
    if (const auto power = bmcs[i]->power()->power(patience()); !power) give_up(power.error().text());
  };
  std::vector<CURL*> handles;
  const std::string pinned = "sha256//" + pin->base64();
  for (const auto& url : urls) {
    CURL* handle = curl_easy_init();
    curl_easy_setopt(handle, CURLOPT_URL, (url + "/redfish/v1/Systems/1").c_str());
    curl_easy_setopt(handle, CURLOPT_USERPWD, "admin:password");
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 0L);
    curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(handle, CURLOPT_PINNEDPUBLICKEY, pinned.c_str());
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &discard);
    handles.push_back(handle);
  }
  const auto poll_bare = [&](std::size_t i) {
    long status = 0;
    if (curl_easy_perform(handles[i]) != CURLE_OK ||
        curl_easy_getinfo(handles[i], CURLINFO_RESPONSE_CODE, &status) != CURLE_OK || status != 200)
      give_up("the bare loop got no answer");
  };
  const double first = round_cost(machines, poll_driver);
  const double bare_first = round_cost(machines, poll_bare);
  // In turns, so that whatever else the machine does reaches both.
  std::vector<double> ours, bare, ratios;
  for (int round = 0; round < rounds; ++round) {
    ours.push_back(round_cost(machines, poll_driver));
    bare.push_back(round_cost(machines, poll_bare));
    ratios.push_back(ours.back() / bare.back());
  }
  for (auto& bmc : bmcs) bmc->close(patience());
  bmcs.clear();
  for (CURL* handle : handles) curl_easy_cleanup(handle);
  ::kill(simulator, SIGTERM);
  ::waitpid(simulator, nullptr, 0);
  std::filesystem::remove_all(folder);

  const double ratio = median(ratios);
  std::printf("%zu BMCs, medians of %d rounds in turns, client CPU per poll\n", machines, rounds);
  std::printf("  nimbus driver, kept connection   %6.0f us   (first contact with login and discovery %.0f us)\n",
              median(ours), first);
  std::printf("  bare libcurl loop, kept          %6.0f us   (first contact %.0f us)\n", median(bare), bare_first);
  std::printf("  ratio %.2f, of the rounds %.2f to %.2f (goal: at most 1.3)\n", ratio, std::ranges::min(ratios),
              std::ranges::max(ratios));
  return ratio <= 1.3 ? 0 : 2;
}
