// The scripts of the three shells. @NAME@ is the program, @FUNCTION@ a name made
// from it. They call the program by its name in $PATH, never by the path that is
// being typed: a <Tab> must not run a file from an untrusted folder.
#include <algorithm>

#include "base/args/complete.hpp"

namespace nimbus::base {
namespace {

constexpr std::string_view kBash = R"(# bash completion for @NAME@
@FUNCTION@() {
  local line files=:none cur=${COMP_WORDS[COMP_CWORD]}
  [[ $cur == "=" ]] && cur=""
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :none | :files | :folders) files=$line ;;
      *) COMPREPLY+=("${line%%$'\t'*}") ;;
    esac
  done < <(command @NAME@ __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  local action=""
  [[ $files == :files ]] && action=-f
  [[ $files == :folders ]] && action=-d
  if [[ -n $action ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r line; do
      COMPREPLY+=("$line")
    done < <(compgen "$action" -- "$cur")
  fi
}
complete -F @FUNCTION@ @NAME@
)";

constexpr std::string_view kZsh = R"(#compdef @NAME@
# zsh completion for @NAME@
@FUNCTION@() {
  local -a lines values
  local line files=:none tab=$'\t'
  lines=("${(@f)$(command @NAME@ __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  for line in $lines; do
    case $line in
      (:none|:files|:folders) files=$line ;;
      (*$tab*) values+=("${${line%%$tab*}//:/\\:}:${line#*$tab}") ;;
      (?*) values+=("${line//:/\\:}") ;;
    esac
  done
  (( $#values )) && _describe -t values @NAME@ values
  [[ $files == :files ]] && _files
  [[ $files == :folders ]] && _files -/
  return 0
}
if [[ $funcstack[1] == @FUNCTION@ ]]; then
  @FUNCTION@ "$@"
else
  compdef @FUNCTION@ @NAME@
fi
)";

constexpr std::string_view kFish = R"(# fish completion for @NAME@
function @FUNCTION@
    set -l words (commandline -opc)
    set -e words[1]
    set -l typed (commandline -ct)
    for line in (command @NAME@ __complete $words "$typed" 2>/dev/null)
        switch $line
            case ':none'
            case ':files'
                __fish_complete_path "$typed"
            case ':folders'
                __fish_complete_directories "$typed"
            case '*'
                echo $line
        end
    end
end
complete -c @NAME@ -f -a '(@FUNCTION@)'
)";

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

}  // namespace

std::optional<std::string> completion_script(const CommandTable& program, std::string_view shell) {
  std::string script;
  if (shell == "bash") script = kBash;
  if (shell == "zsh") script = kZsh;
  if (shell == "fish") script = kFish;
  if (script.empty()) return std::nullopt;
  std::string function = "_" + program.root.name;
  std::ranges::replace(function, '-', '_');
  replace_all(script, "@NAME@", program.root.name);
  replace_all(script, "@FUNCTION@", function);
  return script;
}

}  // namespace nimbus::base
