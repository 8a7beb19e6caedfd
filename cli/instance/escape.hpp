// What is typed on a console, without "~." at the beginning of a line, which ends it, as
// ssh and ipmitool have it; "~~" is one "~". Plain values.
#pragma once

#include <string>
#include <string_view>

namespace nimbus::cli {

class Escape {
 public:
  struct Keys {
    std::string send;
    bool ends = false;
  };
  Keys take(std::string_view typed) {
    Keys out;
    for (const char c : typed) {
      if (tilde_) {
        tilde_ = false;
        if (c == '.') {
          out.ends = true;
          return out;
        }
        out.send += '~';
        if (c == '~') continue;
      } else if (begin_ && c == '~') {
        tilde_ = true;
        continue;
      }
      out.send += c;
      begin_ = c == '\r' || c == '\n';
    }
    return out;
  }

 private:
  bool begin_ = true;
  bool tilde_ = false;
};

}  // namespace nimbus::cli
