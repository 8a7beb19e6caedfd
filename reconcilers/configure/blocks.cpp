// Lines of ours, between markers, in files that others write too.
#include <fmt/core.h>

#include <algorithm>

#include "reconcilers/configure/primitives.hpp"
#include "reconcilers/configure/shell.hpp"

namespace nimbus::reconcilers::configure {
namespace {

std::string lines_text(const std::string& lines) {
  const auto count = std::count(lines.begin(), lines.end(), '\n');
  return count == 0 ? "no block"
                    : fmt::format("{} line{}, digest {}", count, count == 1 ? "" : "s", digest_of(lines).substr(0, 8));
}

}  // namespace

void ask(const host::Block& it, ProbeNeeds& needs) { needs.blocks[host::id_of(it)] = it; }

void check(const host::Block& it, Check& check) {
  const auto found = check.shown.blocks.find(host::id_of(it));
  if (found == check.shown.blocks.end()) return check.unknown("the file could not be read");
  if (found->second != it.lines) check.differs("lines", lines_text(it.lines), lines_text(found->second));
}

void correct(const host::Block& it, Step& step) {
  const auto file = quote("../" + base_of(it.path)), next = quote("./" + base_of(it.path));
  const auto begin = "# nimbus:" + it.name + " begin", end = "# nimbus:" + it.name + " end";
  const auto range = "/^" + literal_pattern(begin) + "$/,/^" + literal_pattern(end) + "$/";
  step.line(fmt::format("work_in {} {}", quote(folder_of(it.path)), digest_of(step.id)));
  step.line(fmt::format("[ ! -L {} ] || fail 'it is a link: declare the file that it points to'", file));
  const auto text = it.lines.empty() ? std::string() : begin + "\n" + it.lines + end + "\n";
  step.instead = fmt::format("(umask 077; {} bytes between markers", text.size());
  step.hidden = "(umask 077; " + print_command(text);
  step.line(step.hidden + " >./.lines) || fail 'cannot write: is the disk full?'");
  step.line(fmt::format(
      "if [ -f {0} ]; then\n  cp -p {0} {1} && b=$(grep -c -x -F -e {2} {0}); e=$(grep -c -x -F -e {3} {0})", file,
      next, quote(begin), quote(end)));
  step.line(fmt::format("  if [ \"$b$e\" = 11 ] && [ \"$(sed -n {} {} | tail -n 1)\" = {} ]; then", quote(range + "p"),
                        file, quote(end)));
  step.line(fmt::format("    sed -e {} -e {} {} >{} || exit 1", quote("/^" + literal_pattern(begin) + "$/r ./.lines"),
                        quote(range + "d"), file, next));
  step.line("  elif [ \"$b$e\" = 00 ]; then");
  step.line(
      fmt::format("    {{ cat {0} && {{ [ -z \"$(tail -c 1 {0})\" ] || echo; }} && cat ./.lines; }} >{1} || fail "
                  "'cannot write: is the disk full?'",
                  file, next));
  step.line("  else fail 'the markers of the block are damaged: a person must look'\n  fi");
  step.line(fmt::format("else\n  cat ./.lines >{0} && chmod 644 {0} || exit 1\nfi", next));
  step.announce();
  step.save(it.path);
  step.line("go_live " + quote(base_of(it.path)));
}

}  // namespace nimbus::reconcilers::configure
