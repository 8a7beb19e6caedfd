#include <doctest/doctest.h>

#include "installer/gpt.hpp"
#include "support.hpp"

using namespace nimbus;
using namespace nimbus::installer;
using namespace nimbus::installer::test;

namespace {

constexpr std::size_t kImage = 4 * kMib;
constexpr std::size_t kDisk = 16 * kMib;

struct Bench {
  explicit Bench(const Bytes& stream, std::int64_t room = -1, std::string digest = {})
      : device(*open_device(disk.path(), Access::ReadWrite), room),
        writer(device, permit_of(disk_facts("A", kDisk)),
               {.sha256 = digest.empty() ? sha256_of(stream) : digest, .bytes = kImage}) {}
  Result<> write(MemorySource*& used, const Bytes& stream, int cuts = 0, std::size_t cut_after = 0) {
    auto made = std::make_unique<MemorySource>(stream);
    made->cuts = cuts;
    made->cut_after = cut_after;
    used = made.get();
    sources.push_back(std::move(made));
    if (auto begun = writer.begin(); !begun) return begun;
    if (auto streamed = stream_image(sources, writer, {}, [] {}); !streamed) return streamed;
    if (auto finished = writer.finish(); !finished) return finished;
    return writer.commit("run-1 acme/web-1");
  }
  bool head_blank() { return read_witness(device)->head_blank; }

  FileDisk disk{kDisk};
  WatchedDevice device;
  ImageWriter writer;
  std::vector<std::unique_ptr<base::ByteSource>> sources;
  MemorySource* source = nullptr;
};

bool same_behind_head(const Bytes& disk, const Bytes& image) {
  return std::equal(image.begin() + kMib, image.end(), disk.begin() + kMib);
}

}  // namespace

TEST_CASE("an image arrives whole, however it is packed") {
  const auto image = gpt_image(kImage);
  for (const auto& stream : {image, zstd(image), gzip(image), xz(image)}) {
    CAPTURE(stream.size());
    Bench bench(stream);
    REQUIRE(bench.write(bench.source, stream));
    const auto disk = bench.disk.content();
    CHECK(same_behind_head(disk, image));
    CHECK(std::equal(image.begin(), image.begin() + 446, disk.begin()));
    auto witness = read_witness(bench.device);
    REQUIRE(witness);
    CHECK(witness->marker == "run-1 acme/web-1");

    // The partition table covers the disk, twice.
    const auto table = read_gpt(disk);
    REQUIRE(table);
    REQUIRE(table->partitions.size() == 2);
    CHECK(table->partitions[0].last_sector == 4095);
    CHECK(table->partitions[1].first_sector == 4096);
    CHECK(table->partitions[1].last_sector == static_cast<std::int64_t>(kDisk / 512 - 2048 - 1));
    CHECK(std::equal(disk.end() - 512, disk.end() - 504, reinterpret_cast<const std::uint8_t*>("EFI PART")));
    CHECK(root_partition(*table)->number == 2);
  }
}

TEST_CASE("concatenated zstd frames are one image") {
  const auto image = gpt_image(kImage);
  auto stream = zstd(Bytes(image.begin(), image.begin() + 2 * kMib));
  const auto rest = zstd(Bytes(image.begin() + 2 * kMib, image.end()));
  stream.insert(stream.end(), rest.begin(), rest.end());
  Bench bench(stream);
  REQUIRE(bench.write(bench.source, stream));
  CHECK(same_behind_head(bench.disk.content(), image));
}

TEST_CASE("what goes wrong leaves a disk without a head") {
  const auto image = gpt_image(kImage);
  const auto stream = zstd(image);

  SUBCASE("digest") {
    Bench bench(stream, -1, std::string(64, '0'));
    auto written = bench.write(bench.source, stream);
    REQUIRE_FALSE(written);
    CHECK(written.error().code == Code::Corrupt);
    CHECK(written.error().message.find("SHA-256") != std::string::npos);
    CHECK(bench.head_blank());
    CHECK(bench.source->asked == 1);  // no use in asking again
    CHECK_FALSE(bench.writer.commit("again"));
    CHECK(bench.head_blank());
  }
  SUBCASE("a stream that ends early, with a matching digest") {
    for (const auto& whole : {zstd(image), gzip(image), xz(image), image}) {
      const Bytes cut(whole.begin(), whole.end() - 1000);
      Bench bench(cut);
      auto written = bench.write(bench.source, cut);
      REQUIRE_FALSE(written);
      CHECK(written.error().code == Code::Corrupt);
      CHECK(bench.head_blank());
    }
  }
  SUBCASE("too long") {
    const auto longer = zstd(gpt_image(kImage + kMib));
    Bench bench(longer);
    auto written = bench.write(bench.source, longer);
    REQUIRE_FALSE(written);
    CHECK(written.error().code == Code::Corrupt);
    CHECK(bench.head_blank());
    CHECK(bench.disk.content()[kImage] == 0);  // not a byte beyond
  }
  SUBCASE("too short") {
    const auto shorter = zstd(gpt_image(kImage - kMib));
    Bench bench(shorter);
    CHECK_FALSE(bench.write(bench.source, shorter));
    CHECK(bench.head_blank());
  }
  SUBCASE("not unpackable in the middle") {
    auto broken = gzip(image);
    for (std::size_t i = broken.size() / 2; i < broken.size() / 2 + 64; ++i) broken[i] ^= 0xFF;
    Bench bench(broken);
    CHECK_FALSE(bench.write(bench.source, broken));
    CHECK(bench.head_blank());
  }
  SUBCASE("nothing at all") {
    Bench bench({});
    CHECK_FALSE(bench.write(bench.source, {}));
    CHECK(bench.head_blank());
  }
  SUBCASE("disk full") {
    Bench bench(stream, 3 * kMib);
    auto written = bench.write(bench.source, stream);
    REQUIRE_FALSE(written);
    CHECK(written.error().message.find("No space left") != std::string::npos);
    CHECK(bench.head_blank());
    CHECK(bench.source->asked == 1);
  }
}

TEST_CASE("every place to fail: the head is old, blank or whole, never between") {
  const auto image = gpt_image(kImage);
  const auto stream = zstd(image);
  int finished = 0;
  int refused = 0;
  for (std::int64_t room = 0; room <= static_cast<std::int64_t>(kImage + 5 * kMib); room += 600'000) {
    Bench bench(stream, room);
    bench.disk.fill(gpt_image(2 * kMib));  // an older system
    const auto before = bench.disk.content();
    const bool whole = bench.write(bench.source, stream).has_value();
    const auto after = bench.disk.content();
    const bool old_head = std::equal(before.begin(), before.begin() + kMib, after.begin());
    CHECK((whole || old_head || bench.head_blank()));
    if (old_head) CHECK(before == after);
    ++(whole ? finished : refused);
  }
  CHECK(finished > 0);
  CHECK(refused > 10);
}

TEST_CASE("a cut is resumed where it happened") {
  const auto image = gpt_image(kImage);
  const auto stream = zstd(image);
  Bench bench(stream);
  REQUIRE(bench.write(bench.source, stream, 3, 700'000));
  CHECK(same_behind_head(bench.disk.content(), image));
  CHECK(bench.source->offsets == std::vector<std::int64_t>{0, 700'000, 1'400'000, 2'100'000});
}

TEST_CASE("a source that is dead for good is given up") {
  const auto stream = zstd(gpt_image(kImage));
  Bench bench(stream);
  auto written = bench.write(bench.source, stream, 1000, 0);
  REQUIRE_FALSE(written);
  CHECK(written.error().code == Code::Unreachable);
  CHECK(bench.source->asked == 8);
  CHECK(bench.head_blank());
}

TEST_CASE("the second source takes over") {
  const auto image = gpt_image(kImage);
  const auto stream = zstd(image);
  Bench bench(stream);
  auto dead = std::make_unique<MemorySource>(stream);
  dead->cuts = 1000;
  dead->cut_after = 0;
  bench.sources.push_back(std::move(dead));
  REQUIRE(bench.write(bench.source, stream));
  CHECK(bench.source->asked == 1);
}

TEST_CASE("nothing is written before it has begun, and nothing is committed before it is whole") {
  const auto stream = zstd(gpt_image(kImage));
  Bench bench(stream);
  bench.disk.fill(noise(kMib));
  CHECK_FALSE(bench.writer.feed(stream));
  CHECK_FALSE(bench.writer.finish());
  CHECK_FALSE(bench.writer.commit("m"));
  CHECK(bench.device.writes == 0);
}

TEST_CASE("partition tables from nowhere are not believed") {
  auto image = gpt_image(kImage);
  REQUIRE(read_gpt(image));
  CHECK_FALSE(read_gpt(Bytes(100)));
  CHECK_FALSE(read_gpt(noise(kMib)));
  for (std::size_t at = 512; at < 512 + 92; ++at) {
    auto damaged = image;
    damaged[at] ^= 0x10;
    CHECK_FALSE(read_gpt(damaged));
  }
  for (std::size_t at = 1024; at < 1024 + 256; ++at) {
    auto damaged = image;
    damaged[at] ^= 0x10;
    CHECK_FALSE(read_gpt(damaged));
  }
  CHECK_FALSE(grow_gpt(*read_gpt(image), static_cast<std::int64_t>(kImage / 2)));
}
