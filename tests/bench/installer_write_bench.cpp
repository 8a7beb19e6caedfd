// What writing an image costs the installer: HTTP, SHA-256, unpacking, writing, beside
// curl | tee >(sha256sum) | zstd -dc | dd, on a file or a disk that may be lost. Interleaved
// pairs; prints CPU seconds of both and their ratio. installer_write.py runs it in a guest.
//
//   bench_installer_write URL SHA256 RAW_BYTES FOLDER|DISK [PAIRS]
#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "base/time/time.hpp"
#include "installer/image_writer.hpp"

namespace {

using namespace nimbus;

double cpu_seconds(int who) {
  rusage usage{};
  ::getrusage(who, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

bool is_disk(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISBLK(info.st_mode);
}

void make_file(const std::string& path, std::int64_t bytes) {
  if (is_disk(path)) return;
  std::ofstream(path, std::ios::trunc).close();
  if (::truncate(path.c_str(), bytes) != 0) std::abort();
}

double ours(const std::string& url, const std::string& sha256, std::int64_t bytes, const std::string& path) {
  make_file(path, bytes);
  installer::DiskFacts disk;
  disk.serial = "BENCH";
  disk.node = path;
  disk.bytes = bytes;
  disk.id = installer::disk_id(disk);
  boot::InstallPlan plan;
  plan.action = boot::PlanAction::Install;
  plan.run = "bench";
  plan.nonce = std::string(32, '0');
  plan.mac = "52:54:00:00:00:01";
  plan.identity.serial = "BENCH-1";
  plan.proof = boot::Proof::OwnerConsents;
  installer::MachineFacts machine;
  machine.identity = plan.identity;
  machine.macs = {plan.mac};
  machine.run = plan.run;
  machine.nonce = plan.nonce;
  machine.disks = {disk};
  auto permit = installer::permit_install(plan, machine, disk, {.head_blank = true, .marker = {}});
  auto device = installer::open_device(path, installer::Access::ReadWrite);
  if (!permit || !device) std::abort();
  const base::SystemClock clock;
  const double before = cpu_seconds(RUSAGE_SELF);
  installer::ImageWriter writer(**device, *permit, {.sha256 = sha256, .bytes = bytes});
  std::vector<std::unique_ptr<base::ByteSource>> sources;
  sources.push_back(std::make_unique<base::HttpSource>(url, clock));
  auto done = writer.begin();
  if (done) done = installer::stream_image(sources, writer, {}, [] {});
  if (done) done = writer.finish();
  if (done) done = writer.commit("bench");
  if (!done) {
    fmt::print(stderr, "{}\n", done.error().text());
    std::exit(1);
  }
  return cpu_seconds(RUSAGE_SELF) - before;
}

double pipeline(const std::string& url, std::int64_t bytes, const std::string& path) {
  make_file(path, bytes);
  const std::string command = fmt::format(
      "bash -c 'curl -s {} | tee >(sha256sum >/dev/null) | zstd -dcq | dd of={} bs=1M iflag=fullblock "
      "conv=notrunc,fsync status=none'",
      url, path);
  const double before = cpu_seconds(RUSAGE_CHILDREN);
  if (std::system(command.c_str()) != 0) std::exit(1);  // NOLINT: a benchmark's own command
  return cpu_seconds(RUSAGE_CHILDREN) - before;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    fmt::print(stderr, "usage: bench_installer_write URL SHA256 RAW_BYTES FOLDER|DISK [PAIRS]\n");
    return 64;
  }
  const std::int64_t bytes = std::atoll(argv[3]);
  const std::string path = is_disk(argv[4]) ? argv[4] : std::string(argv[4]) + "/bench.disk";
  const int pairs = argc > 5 ? std::atoi(argv[5]) : 5;
  std::vector<double> ratios;
  for (int i = 0; i < pairs; ++i) {
    const double mine = ours(argv[1], argv[2], bytes, path);
    const double theirs = pipeline(argv[1], bytes, path);
    ratios.push_back(mine / theirs);
    fmt::print("pair {}: installer {:.2f} s CPU, pipeline {:.2f} s CPU, ratio {:.2f}\n", i + 1, mine, theirs,
               ratios.back());
    std::fflush(stdout);
  }
  std::sort(ratios.begin(), ratios.end());
  fmt::print("installer_write: median ratio {:.2f} (at most 1.0 wanted)\n", ratios[ratios.size() / 2]);
  if (!is_disk(path)) ::unlink(path.c_str());
  return 0;
}
