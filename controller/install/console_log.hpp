// ConsoleLog: what machines print on their serial line while they are installed, so that a
// stuck boot explains itself. Through the BMC (IPMI SOL), in a session of its own.
//
// Bounded: the end of each machine's output, and so many machines at once; a machine that
// finds no place, or whose BMC has no console to give, is just not recorded. What was
// recorded ends as a file in the folder. Nobody waits for any of it. A BMC has one console
// to give, so people who want it meanwhile look on here, and what they type goes along.
// Thread rule: safe from any thread; a thread of its own for each machine that is recorded.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/ports/bmc.hpp"
#include "core/ports/bmc_console.hpp"
#include "core/ports/clock.hpp"

namespace nimbus::controller {

class ConsoleLog {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{64} << 10U;  // of a machine
  static constexpr std::size_t kMostMachines = 32;
  static constexpr std::size_t kTailLines = 10;

  /// `folder`: for finished recordings, FOLDER/<machine>.log; empty: none are kept.
  ConsoleLog(const Clock& clock, std::string folder) : clock_(clock), folder_(std::move(folder)) {}
  ~ConsoleLog();
  ConsoleLog(const ConsoleLog&) = delete;
  ConsoleLog& operator=(const ConsoleLog&) = delete;

  /// Records from now on, if it does not already. A console that was refused is asked for
  /// again after half a minute. The driver of `bmc` must outlive this.
  void begin(const std::string& machine, Bmc& bmc, const Call& call);
  /// The last lines so far, fit for people; empty: nothing was recorded.
  std::vector<std::string> tail(const std::string& machine) const;
  void end(const std::string& machine);

  /// Somebody looks on from now until he has not read for a while, and may type. Where the
  /// output that is kept begins. NotFound: this machine is not being recorded.
  Result<std::int64_t> attach(const std::string& machine);
  /// What came since `after`, or since the beginning of what is kept. NotFound, as above.
  Result<ConsolePiece> read(const std::string& machine, std::int64_t after);
  /// Conflict: nobody has attached. RateLimited: the machine takes it slower than it comes.
  Result<> type(const std::string& machine, const std::string& bytes);

 private:
  struct Recording {
    std::string output;
    std::int64_t forgotten = 0;  // bytes before `output`
    std::string typed;           // not sent yet
    MonoTime watched{};          // until then somebody looks on
    bool over = false;
    std::stop_source stop;
    std::jthread thread;
  };

  Result<std::shared_ptr<Recording>> running(const std::string& machine) const;
  Result<> send_typed(Recording& recording, ConsoleSession& session) const;
  void record(const std::string& machine, std::shared_ptr<Recording> recording,
              std::unique_ptr<ConsoleSession> session) const;

  const Clock& clock_;
  const std::string folder_;
  mutable std::mutex mutex_;  // of all below, and of what recordings hold
  std::map<std::string, std::shared_ptr<Recording>> recordings_;
  std::map<std::string, MonoTime> refused_;
};

/// The last lines of a terminal's output: no escape sequences, no empty lines.
std::vector<std::string> last_lines(std::string_view output, std::size_t most);

}  // namespace nimbus::controller
