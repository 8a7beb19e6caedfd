#include "controller/loops/threads.hpp"

#include <cstdlib>
#include <utility>

#include <pthread.h>

#include "base/crypto/crypto.hpp"
#include "base/log/log.hpp"
#include "controller/work/wake.hpp"

namespace nimbus::controller {

using base::Level;
using std::chrono::milliseconds;

std::jthread spawn(const char* name, std::function<void(std::stop_token)> body) {
  return std::jthread([name, body = std::move(body)](const std::stop_token& stop) {
    (void)pthread_setname_np(pthread_self(), name);  // for "top -H" and debuggers
    try {
      body(stop);
    } catch (const std::exception& broken) {
      base::log(Level::Error, "thread-failed", broken.what(), {{"thread", name}});
      std::abort();
    }
  });
}

double random_fraction() { return static_cast<double>(base::random_u64() >> 11U) * 0x1.0p-53; }

milliseconds with_jitter(milliseconds delay) {
  return milliseconds{
      static_cast<milliseconds::rep>(static_cast<double>(delay.count()) * (0.9 + 0.2 * random_fraction()))};
}

void pause(const Clock& clock, milliseconds delay, std::stop_token stop) {
  Wake nobody;
  nobody.wait_until(clock.now() + delay, std::move(stop));
}

void Trouble::met(const Error& error) {
  const std::string text = error.text();
  if (text != last_) base::log(Level::Warning, id_, text);
  last_ = text;
}

void Trouble::over() {
  if (!last_.empty()) base::log(Level::Info, over_id_, "works again");
  last_.clear();
}

}  // namespace nimbus::controller
