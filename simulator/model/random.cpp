#include "simulator/model/random.hpp"

namespace nimbus::simulator {

std::uint64_t Random::next() noexcept {
  // splitmix64
  state_ += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

std::uint64_t Random::below(std::uint64_t bound) noexcept { return bound == 0 ? 0 : next() % bound; }

bool Random::chance(double percent) noexcept {
  if (percent <= 0) return false;
  return static_cast<double>(below(1'000'000)) < percent * 10'000.0;
}

std::chrono::milliseconds Random::draw(const DurationRange& range) noexcept {
  if (range.most <= range.least) return range.least;
  const auto width = static_cast<std::uint64_t>((range.most - range.least).count()) + 1;
  return range.least + std::chrono::milliseconds(static_cast<std::int64_t>(below(width)));
}

std::uint64_t stable_hash(std::uint64_t seed, std::string_view text) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325ULL ^ seed;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return Random(hash).next();
}

}  // namespace nimbus::simulator
