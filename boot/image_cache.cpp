#include "boot/image_cache.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/file/file.hpp"
#include "base/log/log.hpp"
#include "base/text/text.hpp"
#include "boot/image_fetch.hpp"
#include "boot/image_file.hpp"

namespace nimbus::boot {
namespace {

using base::Level;
constexpr int kWorkers = 2;
constexpr int kMostDoublings = 4;

WallTime modified(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  return WallTime{std::chrono::milliseconds{std::int64_t{info.st_mtim.tv_sec} * 1000}};
}

/// When it was wanted is kept with the file: it survives this process.
void touch(const std::string& path) { ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0); }

}  // namespace

Result<std::unique_ptr<ImageCache>> ImageCache::open(Setup setup, const Clock& clock) {
  if (auto made = base::make_folders(setup.folder, 0700); !made) return std::move(made.error());
  std::unique_ptr<ImageCache> cache(new ImageCache(std::move(setup), clock));
  if (auto found = cache->find(); !found) return std::move(found.error());
  for (int i = 0; i < kWorkers; ++i) {
    cache->workers_.emplace_back([raw = cache.get()](const std::stop_token& stop) { raw->work(stop); });
  }
  return cache;
}

ImageCache::~ImageCache() {
  for (auto& worker : workers_) worker.request_stop();
  workers_.clear();
}

Result<> ImageCache::find() {
  auto files = base::list_folder(setup_.folder);
  if (!files) return std::move(files.error());
  for (const auto& file : *files) {
    std::string name = file.name;
    const bool part = name.ends_with(kPartEnding);
    if (part) name.resize(name.size() - std::string_view(kPartEnding).size());
    if (!is_image_name(name) || file.kind != base::FolderEntry::Kind::File) continue;
    Entry& entry = entries_[name];
    entry.bytes += static_cast<std::int64_t>(file.size);
    entry.wanted = std::max(entry.wanted, modified(setup_.folder + "/" + file.name));
    entry.state = part && entry.state != State::Found ? State::Failed : State::Found;
  }
  return {};
}

ImageAnswer ImageCache::want(const ImageOrder& order) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[order.sha256];
  const bool is_new = entry.wanted == WallTime{};
  entry.wanted = clock_.wall();
  const bool other = std::exchange(entry.order, order) != order;
  const bool again = entry.state == State::Failed && (other || clock_.now() >= entry.again);
  if (is_new || again || (entry.state == State::Found && other)) {
    if (entry.state != State::Found) entry.state = State::Queued;
    queue_.push_back(order.sha256);
    condition_.notify_all();  // who pauses waits as well
  }
  if (entry.state == State::Ready) touch(path_of(order.sha256));
  return answer_of(order.sha256, entry);
}

ImageAnswer ImageCache::answer_of(const std::string& sha256, const Entry& entry) const {
  if (entry.state == State::Ready)
    return {.stage = ImageStage::Ready, .url = setup_.url + sha256, .done_bytes = entry.bytes, .message = {}};
  const auto stage = entry.state == State::Failed ? ImageStage::Failed : ImageStage::Fetching;
  return {.stage = stage, .url = {}, .done_bytes = entry.bytes, .message = entry.message};
}

void ImageCache::work(const std::stop_token& stop) {
  while (true) {
    ImageOrder order;
    bool found = false;
    {
      std::unique_lock lock(mutex_);
      if (!condition_.wait(lock, stop, [this] { return !queue_.empty(); })) return;
      Entry& entry = entries_[queue_.front()];
      queue_.pop_front();
      if (entry.state != State::Found && entry.state != State::Queued) continue;  // another worker has it
      found = entry.state == State::Found;
      entry.state = State::Fetching;
      order = entry.order;
    }
    const auto got = get(order, found, stop);
    if (stop.stop_requested()) return;
    finish(order.sha256, got);
  }
}

Result<> ImageCache::get(const ImageOrder& order, bool found, const std::stop_token& stop) {
  const std::string path = path_of(order.sha256);
  if (found) {
    const auto digest = digest_of_file(path);
    if (digest && *digest == order.sha256) return {};
    base::log(Level::Error, "image-damaged", "it is fetched anew", {{"image", order.sha256}});
    ::unlink(path.c_str());
    if (auto freed = room(order.sha256, 0); !freed) return freed;
  }
  return fetch_image(path, order,
                     {.source = [&](const std::string& url) { return setup_.source(url, order, stop); },
                      .room = [&](std::int64_t bytes) { return room(order.sha256, bytes); },
                      .pause =
                          [&](int failure) {
                            std::unique_lock lock(mutex_);
                            condition_.wait_for(lock, stop, failure * setup_.pause, [] { return false; });
                          }});
}

Result<> ImageCache::room(const std::string& sha256, std::int64_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    std::int64_t total = bytes;
    for (const auto& [name, entry] : entries_) total += name == sha256 ? 0 : entry.bytes;
    if (total <= setup_.most_bytes) {
      entries_[sha256].bytes = bytes;
      return {};
    }
  }
  const auto needed = setup_.needed();
  const std::lock_guard lock(mutex_);
  Entry& mine = entries_[sha256];
  std::vector<HeldImage> held;
  for (const auto& [name, entry] : entries_) {
    if (name == sha256) continue;
    const bool idle = entry.state == State::Found || entry.state == State::Ready || entry.state == State::Failed;
    const bool late = clock_.wall() - entry.wanted > setup_.grace;
    held.push_back({name, entry.bytes, entry.wanted, idle && late && !needed.contains(name)});
  }
  const auto go = make_room(std::move(held), bytes, setup_.most_bytes);
  if (!go) {
    return Error{Code::Busy, "the cache is full: " + std::to_string(setup_.most_bytes) +
                                 " bytes, and what is in it is needed or was wanted just now"};
  }
  for (const auto& name : *go) {
    ::unlink(path_of(name).c_str());
    ::unlink((path_of(name) + kPartEnding).c_str());
    entries_.erase(name);
    base::log(Level::Info, "image-dropped", "for another one", {{"image", name}});
  }
  mine.bytes = bytes;
  return {};
}

void ImageCache::finish(const std::string& sha256, const Result<>& got) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entries_[sha256];
  if (got) {
    entry.state = State::Ready;
    entry.message.clear();
    entry.failures = 0;
    touch(path_of(sha256));
    base::log(Level::Info, "image-ready", "digest checked",
              {{"image", sha256}, {"bytes", std::to_string(entry.bytes)}});
    return;
  }
  entry.state = State::Failed;
  entry.message = base::printable(got.error().text(), 2000);
  entry.again = clock_.now() + setup_.first_retry * (1 << std::min(entry.failures, kMostDoublings));
  ++entry.failures;
  base::log(Level::Error, "image-not-fetched", entry.message, {{"image", sha256}});
}

}  // namespace nimbus::boot
