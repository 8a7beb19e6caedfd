// Disks as files, images as bytes, and a machine to be installed.
#pragma once

#include <lzma.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "base/crypto/crypto.hpp"
#include "base/plain_http/client.hpp"
#include "installer/device.hpp"
#include "installer/image_writer.hpp"
#include "installer/permit.hpp"

namespace nimbus::installer::test {

using Bytes = std::vector<std::uint8_t>;
inline constexpr std::size_t kMib = std::size_t{1} << 20U;

inline std::string sha256_of(const Bytes& bytes) {
  return base::sha256_hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

/// Bytes that do not repeat and are never all zero for long.
inline Bytes noise(std::size_t size) {
  std::vector<std::uint64_t> words(size / 8 + 1);
  std::uint64_t state = 1;
  for (auto& word : words) word = (state = state * 6364136223846793005U + 1442695040888963407U) | 1U;
  Bytes out(size);
  std::memcpy(out.data(), words.data(), size);
  return out;
}

inline Bytes zstd(const Bytes& plain) {
  Bytes out(ZSTD_compressBound(plain.size()));
  out.resize(ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), 1));
  return out;
}

inline Bytes gzip(const Bytes& plain) {
  Bytes out(plain.size() + 65536);
  z_stream stream{};
  deflateInit2(&stream, 1, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = const_cast<Bytef*>(plain.data());
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline Bytes xz(const Bytes& plain) {
  Bytes out(plain.size() + 65536);
  std::size_t size = 0;
  lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, nullptr, plain.data(), plain.size(), out.data(), &size, out.size());
  out.resize(size);
  return out;
}

/// A file that is a disk; gone with the object.
class FileDisk {
 public:
  explicit FileDisk(std::size_t bytes) {
    std::array<char, 32> name{"/tmp/nimbus-disk-XXXXXX"};
    const int fd = ::mkstemp(name.data());
    path_ = name.data();
    if (fd < 0 || ::ftruncate(fd, static_cast<off_t>(bytes)) != 0) std::abort();
    ::close(fd);
  }
  ~FileDisk() { ::unlink(path_.c_str()); }
  FileDisk(const FileDisk&) = delete;
  FileDisk& operator=(const FileDisk&) = delete;

  const std::string& path() const { return path_; }
  Bytes content() const {
    std::ifstream in(path_, std::ios::binary | std::ios::ate);
    Bytes out(static_cast<std::size_t>(in.tellg()));
    in.seekg(0);
    in.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
    return out;
  }
  void fill(const Bytes& bytes) const {
    std::fstream out(path_, std::ios::binary | std::ios::in | std::ios::out);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }

 private:
  std::string path_;
};

/// Counts writes; fails when so many bytes have been written.
class WatchedDevice final : public Device {
 public:
  explicit WatchedDevice(std::unique_ptr<Device> inner, std::int64_t room = -1)
      : inner_(std::move(inner)), room_(room) {}
  std::int64_t size() const noexcept override { return inner_->size(); }
  Result<> write(std::int64_t offset, std::span<const std::uint8_t> data) override {
    ++writes;
    if (room_ >= 0 && (room_ -= static_cast<std::int64_t>(data.size())) < 0) {
      return Error{Code::Internal, "disk: cannot write: No space left on device"};
    }
    if (offset == 0) ++head_writes;
    return inner_->write(offset, data);
  }
  Result<> read(std::int64_t offset, std::span<std::uint8_t> into) override { return inner_->read(offset, into); }
  Result<> sync() override { return inner_->sync(); }
  Result<> discard() override {
    before_discard();
    return inner_->discard();
  }

  int writes = 0;
  int head_writes = 0;
  std::function<void()> before_discard = [] {};

 private:
  std::unique_ptr<Device> inner_;
  std::int64_t room_;
};

/// A server with faults: cut after so many bytes, so many times.
class MemorySource final : public base::ByteSource {
 public:
  explicit MemorySource(Bytes bytes) : bytes_(std::move(bytes)) {}
  Result<> read(std::int64_t offset, const base::ByteSink& sink) override {
    ++asked;
    offsets.push_back(offset);
    std::size_t end = bytes_.size();
    const bool cut = cuts > 0;
    if (cut) {
      --cuts;
      end = std::min(end, static_cast<std::size_t>(offset) + cut_after);
    }
    constexpr std::size_t kPiece = 100'000;
    for (std::size_t at = static_cast<std::size_t>(offset); at < end; at += kPiece) {
      auto taken = sink(std::span(bytes_).subspan(at, std::min(kPiece, end - at)));
      if (!taken) return taken;
    }
    if (cut) return Error{Code::Unreachable, "connection lost"};
    return {};
  }
  int cuts = 0;
  std::size_t cut_after = 0;
  int asked = 0;
  std::vector<std::int64_t> offsets;

 private:
  Bytes bytes_;
};

inline constexpr const char* kNonce = "0123456789abcdef0123456789abcdef";

inline MachineFacts machine_with(std::vector<DiskFacts> disks) {
  MachineFacts machine;
  machine.identity.serial = "CZ3A1B2";
  machine.macs = {"52:54:00:12:34:17"};
  machine.run = "run-1";
  machine.nonce = kNonce;
  machine.disks = std::move(disks);
  return machine;
}

inline DiskFacts disk_facts(const std::string& serial, std::size_t bytes, const std::string& node = "/dev/vda") {
  DiskFacts disk;
  disk.serial = serial;
  disk.node = node;
  disk.bytes = static_cast<std::int64_t>(bytes);
  disk.id = disk_id(disk);
  return disk;
}

inline boot::InstallPlan plan_for(const Bytes& stream, std::size_t raw) {
  boot::InstallPlan plan;
  plan.action = boot::PlanAction::Install;
  plan.run = "run-1";
  plan.nonce = kNonce;
  plan.machine = "berlin-1/m017";
  plan.mac = "52:54:00:12:34:17";
  plan.identity.serial = "CZ3A1B2";
  plan.proof = boot::Proof::OwnerConsents;
  plan.image_urls = {"http://images.test/a"};
  plan.image_sha256 = sha256_of(stream);
  plan.image_bytes = static_cast<std::int64_t>(raw);
  plan.instance = "acme/web-1";
  plan.hostname = "web-1";
  plan.user = "debian";
  plan.ssh_keys = {"ssh-ed25519 AAAA alice"};
  return plan;
}

/// The leave for a disk of that size, by the real checks.
inline Permit permit_of(const DiskFacts& disk) {
  auto plan = plan_for({}, 0);
  return *permit_install(plan, machine_with({disk}), disk, {.head_blank = true, .marker = {}});
}

/// Whether all of the range is zero.
inline bool blank(const std::uint8_t* begin, std::size_t size) {
  return size == 0 || (*begin == 0 && std::memcmp(begin, begin + 1, size - 1) == 0);
}

/// GPT with a BIOS partition and a Linux root that ends 1 MiB before the image's end.
Bytes gpt_image(std::size_t bytes);

}  // namespace nimbus::installer::test
