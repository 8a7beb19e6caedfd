#include "base/compress/deflater.hpp"

#include <zlib.h>

#include <new>
#include <stdexcept>

namespace nimbus::base {
namespace {

constexpr int kLevel = Z_BEST_SPEED;
constexpr int kWindowBits = 15;
constexpr int kMemoryLevel = 6;  // 16 KiB of hash table to clear for each stream, not 64

}  // namespace

struct Deflater::State {
  State() {
    if (deflateInit2(&stream, kLevel, Z_DEFLATED, kWindowBits, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
      throw std::bad_alloc();
    }
  }
  ~State() { deflateEnd(&stream); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  z_stream stream{};
};

Deflater::Deflater() : state_(std::make_unique<State>()) {}
Deflater::~Deflater() = default;
Deflater::Deflater(Deflater&&) noexcept = default;
Deflater& Deflater::operator=(Deflater&&) noexcept = default;

void Deflater::append(std::string_view bytes, std::string& out) {
  z_stream& stream = state_->stream;
  deflateReset(&stream);
  const auto before = out.size();
  out.resize(before + deflateBound(&stream, static_cast<uLong>(bytes.size())));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib only reads it
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
  stream.avail_out = static_cast<uInt>(out.size() - before);
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::runtime_error("zlib does not deflate");
  out.resize(out.size() - stream.avail_out);
}

std::uint32_t crc32(std::string_view bytes) noexcept {
  return static_cast<std::uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uInt>(bytes.size())));
}

}  // namespace nimbus::base
