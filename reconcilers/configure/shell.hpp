// Pieces of POSIX shell text. Pure. What is quoted here is data for any shell that knows
// single quotes; nothing is ever expanded.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nimbus::reconcilers::configure {

/// Where hosts keep what must outlive a script: pending notifications, what an undo needs.
inline constexpr const char* kStateFolder = "/var/lib/nimbus";

/// 'text', whatever is in it but NUL.
std::string quote(std::string_view text);

/// A command that prints exactly these bytes, NUL too, by the shell's own printf.
std::string print_command(std::string_view bytes);

/// A file name for an id: readable, without '/', never beginning with a dot, at most 200
/// characters; different ids have different names.
std::string state_name(std::string_view id);

/// 64 bits of FNV-1a as 16 hex digits: tells apart, proves nothing.
std::string digest_of(std::string_view text);

/// `text` as a basic regular expression that matches nothing else, also between '/'.
std::string literal_pattern(std::string_view text);

/// A field of /etc/fstab or /proc/mounts: blanks, tabs, line ends and backslashes as \ooo.
std::string fstab_field(std::string_view text);

/// Below /proc/sys, as sysctl(8) reads a key: the first separator decides whether '.' or
/// '/' separates, and the other one stands for a '.' or '/' in a name.
std::string sysctl_path(std::string_view key);

/// "/etc/motd": "/etc" and "motd".
std::string folder_of(std::string_view path);
std::string base_of(std::string_view path);

/// With control characters and bytes beyond ASCII as '?', cut to `most` characters.
std::string printable(std::string_view text, std::size_t most);

}  // namespace nimbus::reconcilers::configure
