// ImageCache: images on this host's disk, by digest, for nginx to serve.
//
// An image is in the folder under its digest only when that was right; what is being
// fetched has another name. After a restart each is checked once more before a run is sent
// to it. What was wanted longest ago goes when the room is needed; what a run needs stays.
//
// Thread rule: safe from any thread; fetches on threads of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/plain_http/client.hpp"
#include "boot/image_room.hpp"
#include "boot/protocol/image.hpp"
#include "core/ports/clock.hpp"
#include "core/result.hpp"

namespace nimbus::boot {

class ImageCache {
 public:
  struct Setup {
    std::string folder;
    std::string url;              // before a digest: "http://10.20.0.1:8081/images/"
    std::int64_t most_bytes = 0;  // of all files
    /// A URL as a source, within an order's rules; a read ends when the token says so.
    std::function<std::unique_ptr<base::ByteSource>(const std::string& url, const ImageOrder&, std::stop_token)> source;
    /// Digests that runs need.
    std::function<std::set<std::string>()> needed;
    std::chrono::milliseconds first_retry{30'000};  // after a failure; doubled, up to 16 times as long
    std::chrono::milliseconds pause{1'000};         // before a source is asked again, times the failures
    std::chrono::minutes grace{2};                  // wanted so lately: stays
  };

  /// Finds what is in the folder. `clock` must outlive this. Errors: Internal.
  static Result<std::unique_ptr<ImageCache>> open(Setup setup, const Clock& clock);
  ~ImageCache();
  ImageCache(const ImageCache&) = delete;
  ImageCache& operator=(const ImageCache&) = delete;

  /// Whether it is there; if not, it is fetched from now on.
  ImageAnswer want(const ImageOrder& order);

 private:
  enum class State { Found, Queued, Fetching, Ready, Failed };  // Found: by an earlier process
  struct Entry {
    State state = State::Queued;
    std::int64_t bytes = 0;
    WallTime wanted{};
    ImageOrder order;
    std::string message;  // of the last failure
    int failures = 0;
    MonoTime again{};  // not earlier; Failed only
  };

  ImageCache(Setup setup, const Clock& clock) : setup_(std::move(setup)), clock_(clock) {}
  Result<> find();
  std::string path_of(const std::string& sha256) const { return setup_.folder + "/" + sha256; }
  ImageAnswer answer_of(const std::string& sha256, const Entry& entry) const;
  void work(const std::stop_token& stop);
  Result<> get(const ImageOrder& order, bool found, const std::stop_token& stop);
  Result<> room(const std::string& sha256, std::int64_t bytes);
  void finish(const std::string& sha256, const Result<>& got);

  const Setup setup_;
  const Clock& clock_;
  std::mutex mutex_;  // of the next three
  std::condition_variable_any condition_;
  std::map<std::string, Entry> entries_;
  std::deque<std::string> queue_;
  std::vector<std::jthread> workers_;
};

}  // namespace nimbus::boot
