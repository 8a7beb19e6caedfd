// The shell text that scripts begin with. Plain POSIX, tested under dash, busybox and bash.
// All of it stands inside the braces that make a shell read a script as a whole before any
// of it runs: what was cut off on its way does nothing.
#pragma once

namespace nimbus::reconcilers::configure {

/// Functions of the probe, and what it always tells: the host, its health, our markers.
extern const char* const kProbePrelude;
extern const char* const kProbeHealth;

/// The functions that corrections are made of.
extern const char* const kCorrectionPrelude;

/// What a detached shell runs to undo a guarded action; expects name, token and seconds as
/// its arguments, or "now" for the seconds.
extern const char* const kWatchdog;

}  // namespace nimbus::reconcilers::configure
