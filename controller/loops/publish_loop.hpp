// The publish thread: takes the term, then brings status documents to the status branch.
//
// Nothing is written to a device before the term is taken. When another controller has
// taken over, the thread ends and this controller only observes until it is restarted.
//
// Thread rule: run() is one thread; wake() from any.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "controller/config/reload.hpp"
#include "controller/journal/journal.hpp"
#include "controller/loops/details.hpp"
#include "controller/loops/exchange.hpp"
#include "controller/publisher/publisher.hpp"
#include "controller/work/vitals.hpp"
#include "controller/work/wake.hpp"

namespace nimbus::controller {

class PublishLoop {
 public:
  /// What it works with; all must outlive it.
  struct Tools {
    const Config& config;
    const LiveConfig& current;
    const Clock& clock;
    Publisher& publisher;
    Journal& journal;
    Details& details;
    Vitals& vitals;
    /// Whether it is settled where status goes.
    std::function<bool()> placed;
    /// The term was taken: what the branch said before.
    std::function<void(const TermTaken&)> term_taken;
    /// Another controller took over.
    std::function<void(const std::string& detail)> deposed;
    /// The data folder knows less than the branch.
    std::function<void()> folder_older;
    ExchangeObserver exchanged;
  };

  explicit PublishLoop(Tools tools) : tools_(std::move(tools)) {}

  /// Until a stop is requested, or another controller took over.
  void run(std::stop_token stop);
  /// There is something to publish, or the place was settled.
  void wake() { wake_.wake(); }

 private:
  bool take_term(std::stop_token stop);
  void compare_memories(const TermTaken& taken);
  bool deposed();
  Call call(std::stop_token stop) const;

  const Tools tools_;
  Wake wake_;
};

}  // namespace nimbus::controller
