// A hash chain of JSON lines: a log in which nothing can be changed, left out or
// reordered without showing. Every line holds its number and the hash of the line
// before, and ends with the hash of itself:
//
//   {"seq":7,…,"prev":"<64 hex>","hash":"<64 hex>"}
//
// where hash is the SHA-256 of the line without its last member (that is, of
// {"seq":7,…,"prev":"…"}). Whoever can rewrite all files can make a new chain; that
// shows only against a head that is kept elsewhere.
//
// The lines lie in files chain-<first number>.jsonl of one folder. A file that is full
// is followed by a new one, which begins with a line of type "rotate" that names the
// oldest file still kept; older ones are removed, so the folder is bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/json.hpp"
#include "core/result.hpp"

namespace nimbus::base {

struct ChainHead {
  std::uint64_t seq = 0;  // 0: nothing was written yet
  std::string hash;
  friend bool operator==(const ChainHead&, const ChainHead&) = default;
};

struct ChainOptions {
  std::string folder;                              // made if need be, 0700
  std::size_t file_bytes = std::size_t{8} << 20U;  // a file that is larger is followed by a new one
  std::size_t files = 16;                          // kept
};

/// The writing end; one per folder. Thread rule: safe from any thread.
class ChainLog {
 public:
  /// Reads the newest file. A last line that a crash left unfinished is cut off, and a
  /// line of type "repair" says so. Errors: Corrupt (the newest file is no chain:
  /// nothing is written to it), those of base/file.
  static Result<std::unique_ptr<ChainLog>> open(const ChainOptions& options);
  ~ChainLog();
  ChainLog(const ChainLog&) = delete;
  ChainLog& operator=(const ChainLog&) = delete;

  /// `members` is an object without "seq", "prev" and "hash". Durable on return; the
  /// new head. After an error of the disk nothing of the line is left behind, or the
  /// log refuses to go on. Errors: Internal, Invalid.
  Result<ChainHead> append(const Json& members);
  ChainHead head() const;

 private:
  explicit ChainLog(ChainOptions options) : options_(std::move(options)) {}
  Result<> resume();
  Result<ChainHead> append_locked(const Json& members);
  Result<> write_line(const std::string& line);
  Result<> rotate();
  Result<> open_file(const std::string& name, bool fresh);

  const ChainOptions options_;
  mutable std::mutex mutex_;  // of all below
  ChainHead head_;
  int file_ = -1;
  std::size_t size_ = 0;
  bool broken_ = false;
};

struct ChainFault {
  std::string file;
  std::size_t line = 0;
  std::string what;
};

struct ChainReport {
  std::uint64_t first = 0;  // number of the oldest line kept
  ChainHead head;
  std::size_t records = 0;
  std::size_t torn_bytes = 0;      // of an unfinished last line, as a crash leaves it: no fault
  std::vector<ChainFault> faults;  // the first few
};

/// Walks all files. `anchor`: a head that was kept elsewhere; it must be in the chain,
/// or older than all that is kept. Errors: those of base/file; what is wrong with the
/// chain is in the report.
Result<ChainReport> verify_chain(const std::string& folder, const std::optional<ChainHead>& anchor = {});

/// The lines of all files, oldest first, unchecked; lines that are no JSON are left out.
Result<std::vector<Json>> read_chain(const std::string& folder, std::size_t most);

}  // namespace nimbus::base
