#include "base/compress/decoder.hpp"

#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <vector>

namespace nimbus::base {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kPiece = std::size_t{256} << 10U;
constexpr int kMostWindowLog = 27;  // 128 MiB, what the zstd program accepts by default
constexpr std::uint64_t kMostXzMemory = std::uint64_t{160} << 20U;

Error corrupt(std::string_view kind, std::string_view why) {
  return {Code::Corrupt, std::string(kind) + " stream: " + std::string(why)};
}

class Plain final : public Decoder {
 public:
  Result<> feed(Bytes input, const Sink& sink) override { return sink(input); }
  Result<> finish() override { return {}; }
};

class Zstd final : public Decoder {
 public:
  Zstd() : context_(ZSTD_createDCtx()), out_(kPiece) {
    if (context_ != nullptr) ZSTD_DCtx_setParameter(context_, ZSTD_d_windowLogMax, kMostWindowLog);
  }
  ~Zstd() override { ZSTD_freeDCtx(context_); }
  Zstd(const Zstd&) = delete;
  Zstd& operator=(const Zstd&) = delete;
  bool usable() const noexcept { return context_ != nullptr; }

  Result<> feed(Bytes input, const Sink& sink) override {
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    bool flushed = true;
    while (in.pos < in.size || !flushed) {
      ZSTD_outBuffer out{out_.data(), out_.size(), 0};
      const std::size_t hint = ZSTD_decompressStream(context_, &out, &in);
      if (ZSTD_isError(hint) != 0U) return corrupt("zstd", ZSTD_getErrorName(hint));
      ended_ = hint == 0;
      flushed = out.pos < out.size || ended_;
      if (auto taken = sink({out_.data(), out.pos}); !taken) return taken;
    }
    return {};
  }
  Result<> finish() override {
    if (!ended_) return corrupt("zstd", "cut off");
    return {};
  }

 private:
  ZSTD_DCtx* context_;
  std::vector<std::uint8_t> out_;
  bool ended_ = false;
};

class Gzip final : public Decoder {
 public:
  Gzip() : out_(kPiece) {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    usable_ = inflateInit2(&stream_, kGzipOnly) == Z_OK;
  }
  ~Gzip() override {
    if (usable_) inflateEnd(&stream_);
  }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;
  bool usable() const noexcept { return usable_; }

  Result<> feed(Bytes input, const Sink& sink) override {
    stream_.next_in = const_cast<Bytef*>(input.data());  // zlib does not write to it
    stream_.avail_in = static_cast<uInt>(input.size());
    do {
      if (ended_) {
        if (stream_.avail_in == 0) return {};
        if (inflateReset(&stream_) != Z_OK) return corrupt("gzip", "cannot begin another member");
        ended_ = false;
      }
      stream_.next_out = out_.data();
      stream_.avail_out = static_cast<uInt>(out_.size());
      const int result = inflate(&stream_, Z_NO_FLUSH);
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
        return corrupt("gzip", stream_.msg == nullptr ? "not readable" : stream_.msg);
      }
      ended_ = result == Z_STREAM_END;
      if (auto taken = sink({out_.data(), out_.size() - stream_.avail_out}); !taken) return taken;
    } while (stream_.avail_in > 0 || stream_.avail_out == 0);
    return {};
  }
  Result<> finish() override {
    if (!ended_) return corrupt("gzip", "cut off");
    return {};
  }

 private:
  z_stream stream_{};
  std::vector<std::uint8_t> out_;
  bool usable_ = false;
  bool ended_ = false;
};

class Xz final : public Decoder {
 public:
  Xz() : out_(kPiece) { usable_ = lzma_stream_decoder(&stream_, kMostXzMemory, LZMA_CONCATENATED) == LZMA_OK; }
  ~Xz() override { lzma_end(&stream_); }
  Xz(const Xz&) = delete;
  Xz& operator=(const Xz&) = delete;
  bool usable() const noexcept { return usable_; }

  Result<> feed(Bytes input, const Sink& sink) override {
    stream_.next_in = input.data();
    stream_.avail_in = input.size();
    do {
      if (auto stepped = step(LZMA_RUN, sink); !stepped) return stepped;
    } while (stream_.avail_in > 0 || stream_.avail_out == 0);
    return {};
  }
  Result<> finish() override {
    const Sink nothing = [](Bytes) -> Result<> { return {}; };
    if (!ended_) {
      if (auto stepped = step(LZMA_FINISH, nothing); !stepped) return stepped;
    }
    if (!ended_) return corrupt("xz", "cut off");
    return {};
  }

 private:
  Result<> step(lzma_action action, const Sink& sink) {
    stream_.next_out = out_.data();
    stream_.avail_out = out_.size();
    const lzma_ret result = lzma_code(&stream_, action);
    if (result == LZMA_MEM_ERROR) return Error{Code::Internal, "xz stream: out of memory"};
    if (result == LZMA_MEMLIMIT_ERROR) return corrupt("xz", "asks for too much memory");
    if (result != LZMA_OK && result != LZMA_STREAM_END && result != LZMA_BUF_ERROR) {
      return corrupt("xz", "not readable");
    }
    ended_ = result == LZMA_STREAM_END;
    return sink({out_.data(), out_.size() - stream_.avail_out});
  }

  lzma_stream stream_ = LZMA_STREAM_INIT;
  std::vector<std::uint8_t> out_;
  bool usable_ = false;
  bool ended_ = false;
};

template <class T>
Result<std::unique_ptr<Decoder>> make() {
  auto decoder = std::make_unique<T>();
  if (!decoder->usable()) return Error{Code::Internal, "out of memory for a decoder"};
  return std::unique_ptr<Decoder>(std::move(decoder));
}

bool begins(Bytes head, std::initializer_list<std::uint8_t> mark) noexcept {
  return head.size() >= mark.size() && std::equal(mark.begin(), mark.end(), head.begin());
}

}  // namespace

Compression detect_compression(Bytes head) noexcept {
  if (begins(head, {0x28, 0xB5, 0x2F, 0xFD})) return Compression::Zstd;
  if (begins(head, {0x1F, 0x8B, 0x08})) return Compression::Gzip;
  if (begins(head, {0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00})) return Compression::Xz;
  return Compression::None;
}

Result<std::unique_ptr<Decoder>> Decoder::create(Compression compression) {
  switch (compression) {
    case Compression::None:
      return std::unique_ptr<Decoder>(std::make_unique<Plain>());
    case Compression::Zstd:
      return make<Zstd>();
    case Compression::Gzip:
      return make<Gzip>();
    case Compression::Xz:
      return make<Xz>();
  }
  return Error{Code::Internal, "unknown compression"};
}

}  // namespace nimbus::base
