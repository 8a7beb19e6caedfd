#include <doctest/doctest.h>

#include <stdlib.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <map>
#include <mutex>
#include <thread>

#include "base/crypto/crypto.hpp"
#include "base/file/file.hpp"
#include "base/time/time.hpp"
#include "boot/image_cache.hpp"
#include "boot/image_fetch.hpp"
#include "boot/image_file.hpp"
#include "boot/nginx.hpp"
#include "support/fake_clock.hpp"

using namespace nimbus;
using namespace nimbus::boot;
using namespace std::chrono_literals;

namespace {

const std::string kText(100'000, 'x');

struct Folder {
  Folder() {
    char name[] = "/tmp/nimbus-images-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

/// What a source does when it is read, one call after the other; the last goes on for ever.
struct Answer {
  std::string bytes;                    // of the whole file; what is asked for of it is given
  std::size_t cut = std::string::npos;  // the stream ends there, and counts as cut
  std::optional<Error> error = {};
};

class Script final : public base::ByteSource {
 public:
  explicit Script(std::deque<Answer>& answers) : answers_(answers) {}
  Result<> read(std::int64_t offset, const base::ByteSink& sink) override {
    const Answer answer = answers_.front();
    if (answers_.size() > 1) answers_.pop_front();
    if (answer.error) return *answer.error;
    const auto from = static_cast<std::size_t>(offset);
    if (from > 0 && from >= answer.bytes.size()) return Error{Code::Invalid, "416"};
    const std::size_t end = std::min(answer.cut, answer.bytes.size());
    for (std::size_t at = from; at < end; at += 1000) {
      const auto piece = std::string_view(answer.bytes).substr(at, std::min<std::size_t>(1000, end - at));
      if (auto taken = sink(base::as_bytes(piece)); !taken) return taken;
    }
    return answer.cut < answer.bytes.size() ? Result<>(Error{Code::Unreachable, "cut"}) : Result<>();
  }

 private:
  std::deque<Answer>& answers_;
};

struct Fetching {
  Result<> go() {
    std::vector<std::string> urls;
    for (const auto& [url, answers] : sources) urls.push_back(url);
    return fetch_image(
        place(), {.sha256 = base::sha256_hex(kText), .most_bytes = most, .urls = urls, .sources = {}, .never = {}},
        {.source = [this](const std::string& url) { return std::make_unique<Script>(sources.at(url)); },
         .room = [this](std::int64_t bytes) -> Result<> {
           if (bytes > room) return Error{Code::Busy, "no room"};
           return {};
         },
         .pause = [this](int) { ++pauses; }});
  }
  std::string place() const { return folder.path + "/image"; }
  bool there() const {
    const auto text = base::read_file(place(), 1 << 20);
    return text && *text == kText;
  }
  Folder folder;
  std::map<std::string, std::deque<Answer>> sources;
  std::int64_t most = 1 << 20, room = 1 << 20;
  int pauses = 0;
};

}  // namespace

TEST_CASE("an image that is fetched takes its place when its digest is right") {
  Fetching f;
  f.sources["a"] = {{kText}};
  REQUIRE(f.go());
  CHECK(f.there());
  CHECK_FALSE(std::filesystem::exists(f.place() + kPartEnding));
}

TEST_CASE("cut streams are gone on with, by other sources as well") {
  Fetching f;
  f.sources["a"] = {{kText, 1000}, {kText, 3000}, {.bytes = {}, .error = Error{Code::Unreachable, "gone"}}};
  f.sources["b"] = {{kText}};
  REQUIRE(f.go());
  CHECK(f.there());
  CHECK(f.pauses > 0);
}

TEST_CASE("a wrong digest is never at the image's place, and says so") {
  Fetching f;
  f.sources["a"] = {{"something else"}};
  const auto got = f.go();
  REQUIRE_FALSE(got);
  CHECK(got.error().message.find("a: the file's SHA-256 is " + base::sha256_hex("something else")) == 0);
  CHECK_FALSE(std::filesystem::exists(f.place()));
  f.sources["b"] = {{kText}};
  REQUIRE(f.go());  // another source is right
  CHECK(f.there());
}

TEST_CASE("what is left of an earlier attempt is gone on with, if it is any good") {
  Fetching f;
  f.sources["a"] = {{kText}};
  SUBCASE("its beginning") {
    REQUIRE(base::write_file_atomically(f.place() + kPartEnding, kText.substr(0, 777), 0600));
  }
  SUBCASE("all of it") { REQUIRE(base::write_file_atomically(f.place() + kPartEnding, kText, 0600)); }
  SUBCASE("of something else") { REQUIRE(base::write_file_atomically(f.place() + kPartEnding, "rubbish", 0600)); }
  SUBCASE("more than there is") { REQUIRE(base::write_file_atomically(f.place() + kPartEnding, kText + "more", 0600)); }
  REQUIRE(f.go());
  CHECK(f.there());
}

TEST_CASE("too long, no room, empty, not allowed: each ends with its reason") {
  Fetching f;
  f.sources["a"] = {{kText}};
  SUBCASE("longer than any such image") {
    f.most = 50'000;
    CHECK(f.go().error().message == "a: it has more than 50000 bytes");
  }
  SUBCASE("no room: no other source is asked") {
    f.room = 50'000;
    f.sources["b"] = {{kText}};
    CHECK(f.go().error().message == "no room");
  }
  SUBCASE("empty") {
    f.sources["a"] = {{""}};
    CHECK(f.go().error().message == "a: it is empty");
  }
  SUBCASE("refused by a rule") {
    f.sources["a"] = {{.bytes = {}, .error = Error{Code::Untrusted, "no image is fetched from 127.0.0.1:80"}}};
    CHECK(f.go().error().message == "a: no image is fetched from 127.0.0.1:80");
    CHECK(f.pauses == 0);
  }
  SUBCASE("gone for good") {
    f.sources["a"] = {{.bytes = {}, .error = Error{Code::Unreachable, "refused"}}};
    CHECK(f.go().error().message == "a: refused");
    CHECK(f.pauses == 3);
  }
  CHECK_FALSE(std::filesystem::exists(f.place()));
}

TEST_CASE("room is made by those wanted longest ago, and not by those that are needed") {
  const auto at = [](int seconds) { return WallTime{std::chrono::seconds{seconds}}; };
  const std::vector<HeldImage> held{{"new", 40, at(30)}, {"old", 40, at(10)}, {"needed", 40, at(1), false}};
  CHECK(make_room(held, 10, 130)->empty());
  CHECK(*make_room(held, 50, 130) == std::vector<std::string>{"old"});
  CHECK(*make_room(held, 90, 130) == std::vector<std::string>{"old", "new"});
  CHECK_FALSE(make_room(held, 91, 130));
}

namespace {

struct Caching {
  explicit Caching(std::int64_t most = 1 << 20) {
    setup.folder = folder.path;
    setup.url = "http://h/images/";
    setup.most_bytes = most;
    setup.source = [this](const std::string& url, const ImageOrder&, const std::stop_token&) {
      const std::lock_guard lock(mutex);
      ++asked;
      return std::make_unique<Script>(answers[url]);
    };
    setup.needed = [this] { return needed; };
    setup.pause = 1ms;
    open();
  }
  void open() {
    cache.reset();
    cache = *ImageCache::open(setup, clock);
  }
  ImageOrder order(const std::string& text, const std::string& url) {
    const std::lock_guard lock(mutex);
    answers[url] = {{text}};
    return {.sha256 = base::sha256_hex(text), .most_bytes = 1 << 20, .urls = {url}, .sources = {}, .never = {}};
  }
  /// As nimbusd asks: again and again, until it is told the end of it.
  ImageAnswer until(const ImageOrder& order, ImageStage stage) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (std::chrono::steady_clock::now() < deadline) {
      const auto answer = cache->want(order);
      if (answer.stage == stage) return answer;
      std::this_thread::yield();
    }
    FAIL("it does not come to that");
    return {};
  }
  bool there(const std::string& text) const {
    return std::filesystem::exists(folder.path + "/" + base::sha256_hex(text));
  }

  Folder folder;
  testing::FakeClock clock;
  std::mutex mutex;
  std::map<std::string, std::deque<Answer>> answers;
  int asked = 0;
  std::set<std::string> needed;
  ImageCache::Setup setup;
  std::unique_ptr<ImageCache> cache;
};

}  // namespace

TEST_CASE("an image is fetched once, and found again by the next process") {
  Caching c;
  const auto order = c.order(kText, "a");
  CHECK(c.cache->want(order).stage == ImageStage::Fetching);
  const auto ready = c.until(order, ImageStage::Ready);
  CHECK(ready.url == "http://h/images/" + order.sha256);
  CHECK(c.asked == 1);
  c.open();
  CHECK(c.cache->want(order).stage == ImageStage::Fetching);  // it is looked at once more
  c.until(order, ImageStage::Ready);
  CHECK(c.asked == 1);
}

TEST_CASE("what rotted on the disk is fetched anew, and not served meanwhile") {
  Caching c;
  const auto order = c.order(kText, "a");
  c.until(order, ImageStage::Ready);
  REQUIRE(base::write_file_atomically(c.folder.path + "/" + order.sha256, "rot", 0600));
  c.open();
  CHECK(c.cache->want(order).stage == ImageStage::Fetching);
  c.until(order, ImageStage::Ready);
  CHECK(c.asked == 2);
  CHECK(*digest_of_file(c.folder.path + "/" + order.sha256) == order.sha256);
}

TEST_CASE("a failure is told, and tried again after a while or with other sources") {
  Caching c;
  auto order = c.order("other", "a");
  order.sha256 = base::sha256_hex(kText);
  const auto failed = c.until(order, ImageStage::Failed);
  CHECK(failed.message.find("a: the file's SHA-256 is") == 0);
  CHECK(failed.url.empty());
  const int asked = c.asked;
  CHECK(c.cache->want(order).stage == ImageStage::Failed);
  CHECK(c.asked == asked);
  SUBCASE("after a while") {
    c.order(kText, "a");
    c.clock.advance(c.setup.first_retry);
    const auto again = c.cache->want(order);
    CHECK(again.stage == ImageStage::Fetching);
    CHECK(again.message == failed.message);  // still known
  }
  SUBCASE("at once elsewhere") { order = c.order(kText, "b"); }
  CHECK(c.until(order, ImageStage::Ready).message.empty());
}

TEST_CASE("the cache is bounded: the oldest goes, what is needed stays") {
  const std::string a(1000, 'a'), b(1000, 'b'), d(1000, 'd');
  Caching c(2500);
  const auto first = c.order(a, "a"), second = c.order(b, "b"), third = c.order(d, "d");
  c.until(first, ImageStage::Ready);
  c.clock.advance(1min);
  c.until(second, ImageStage::Ready);
  CHECK(c.until(third, ImageStage::Failed).message.find("the cache is full") == 0);  // both were wanted just now
  c.clock.advance(10min);
  c.needed = {first.sha256, second.sha256};
  c.cache->want(third);
  CHECK(c.until(third, ImageStage::Failed).message.find("the cache is full") == 0);  // a run needs them
  c.needed = {first.sha256};
  c.clock.advance(10min);
  c.until(third, ImageStage::Ready);
  CHECK(c.there(a));
  CHECK_FALSE(c.there(b));
}

TEST_CASE("nginx serves files by name and by digest, and of the cache only if there is one") {
  Config config{.interface = "br0", .address = "10.20.0.1", .control = "/c", .state = "/s", .images = {}};
  const auto plain = nginx_configuration(config);
  CHECK(plain.find("listen 10.20.0.1:8081;") != std::string::npos);
  CHECK(plain.find("images") == std::string::npos);
  config.images = ImagesConfig{.bytes = 1, .folder = "/s/images"};
  CHECK(nginx_configuration(config).find("location ~ \"^/images/([0-9a-f]{64})$\" { alias /s/images/$1; }") !=
        std::string::npos);
}
