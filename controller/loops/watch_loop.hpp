// The watch thread: looks at the forge, loads and accepts what is new, says what is in force.
//
// A forge that does not answer changes nothing: what was accepted stays in force. After a
// restart the mirror's newest commit is looked at first, so that a controller whose forge is
// down still observes.
//
// Thread rule: run() is one thread; wake(), taken() and confirm() from any.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

#include "controller/config/reload.hpp"
#include "controller/intake/intake.hpp"
#include "controller/loops/authors.hpp"
#include "controller/loops/details.hpp"
#include "controller/loops/exchange.hpp"
#include "controller/loops/status_place.hpp"
#include "controller/watch/watcher.hpp"
#include "controller/work/vitals.hpp"
#include "controller/work/wake.hpp"
#include "registry/git/git_program.hpp"

namespace nimbus::controller {

class WatchLoop {
 public:
  /// What it works with; all must outlive it.
  struct Tools {
    const Config& config;
    const LiveConfig& current;
    const Clock& clock;
    registry::GitProgram& git;
    const registry::GitRemote& remote;
    Publisher& publisher;
    StatusPlace& place;
    Authors& authors;
    Details& details;
    Vitals& vitals;
    /// A commit was accepted: what is in force now, and where its files are.
    std::function<void(const std::shared_ptr<const AcceptedRegistry>&, const registry::GitRepository&)> accepted;
    /// Where status goes is settled.
    std::function<void()> placed;
    ExchangeObserver exchanged;
  };

  WatchLoop(Tools tools, registry::GitRepository mirror);

  /// Until a stop is requested.
  void run(std::stop_token stop);
  /// Looks at the forge now.
  void wake() { wake_.wake(); }
  /// A person agrees to the rewritten history that is held with `commit` as its tip: it is
  /// taken over at the look that follows. Errors: Conflict (that tip is not held), of the mirror.
  Result<> confirm(const registry::ObjectId& commit);
  /// A commit was accepted since the start.
  bool taken() const { return taken_; }

 private:
  void take_what_is_there();
  void take_look(const Look& look, std::stop_token stop);
  void take_commit(const std::string& commit) { take(intake_.take(commit), commit); }
  void take(const Result<std::shared_ptr<const AcceptedRegistry>>& accepted, const std::string& commit);
  void remember_author(const std::string& commit);
  void pack_mirror(std::stop_token stop);
  Call call(std::stop_token stop) const;

  const Tools tools_;
  registry::GitRepository mirror_;
  Watcher watcher_;
  Intake intake_;
  Wake wake_;
  std::atomic<bool> taken_{false};
  std::string last_held_;
  std::mutex held_mutex_;        // of the next one
  registry::ObjectId held_tip_;  // empty: none is held
};

}  // namespace nimbus::controller
