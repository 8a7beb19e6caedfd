#include "base/process/self.hpp"

#include <dirent.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <ctime>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace nimbus::base {
namespace {

double seconds_of(clockid_t clock) {
  timespec time{};
  (void)::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// The fields behind the program's name, which may hold anything: [0] is field 3, the state.
std::vector<std::string> stat_fields() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/stat", "re"), std::fclose);
  std::array<char, 2048> buffer{};
  if (!file) return {};
  const std::string text(buffer.data(), std::fread(buffer.data(), 1, buffer.size(), file.get()));
  const auto end = text.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream rest(text.substr(end + 1));
  std::vector<std::string> fields;
  for (std::string field; rest >> field;) fields.push_back(field);
  return fields;
}

std::uint64_t open_descriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/fd"), ::closedir);
  if (!folder) return 0;
  std::uint64_t count = 0;
  while (const dirent* entry = ::readdir(folder.get())) count += entry->d_name[0] != '.' ? 1U : 0U;
  return count - 1;  // the folder itself
}

}  // namespace

Result<ProcessUse> process_use() {
  constexpr std::size_t kUserTicks = 11, kSystemTicks = 12, kThreads = 17, kStart = 19, kVirtual = 20, kResident = 21;
  const auto fields = stat_fields();
  if (fields.size() <= kResident) return Error{Code::Internal, "/proc/self/stat cannot be read"};
  const auto number = [&](std::size_t field) { return std::strtoull(fields[field].c_str(), nullptr, 10); };
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  ProcessUse out;
  out.cpu_seconds = static_cast<double>(number(kUserTicks) + number(kSystemTicks)) / ticks;
  const double age = seconds_of(CLOCK_BOOTTIME) - static_cast<double>(number(kStart)) / ticks;
  out.start_time_seconds = seconds_of(CLOCK_REALTIME) - age;
  out.threads = number(kThreads);
  out.virtual_bytes = number(kVirtual);
  out.resident_bytes = number(kResident) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  out.open_descriptors = open_descriptors();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) out.most_descriptors = limit.rlim_cur;
  return out;
}

void keep_memory_private() noexcept {
  const rlimit none{};
  (void)::setrlimit(RLIMIT_CORE, &none);
  // The limit alone does not stop a handler that the kernel pipes dumps to.
  (void)::prctl(PR_SET_DUMPABLE, 0);
}

}  // namespace nimbus::base
