// The two kinds of time. Wall time is for people and documents and may jump;
// monotonic time is for deadlines and waits and never does.
#pragma once

#include <chrono>

namespace nimbus {

using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;
using MonoTime = std::chrono::steady_clock::time_point;

}  // namespace nimbus
