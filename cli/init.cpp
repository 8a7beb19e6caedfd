// nimbusctl init: a new registry with its pipelines and its hook.
#include <sys/stat.h>

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/core.h>

#include "base/file/file.hpp"
#include "base/text/text.hpp"
#include "cli/context.hpp"
#include "cli/schema_files.hpp"
#include "cli/templates.hpp"
#include "core/names.hpp"

namespace nimbus::cli {
namespace {

constexpr unsigned kFile = 0644;
constexpr unsigned kProgram = 0755;
constexpr unsigned kFolder = 0755;

struct NewFile {
  std::string_view path;
  std::string_view source;      // name of the template
  std::string_view forge = {};  // only with this --ci
  unsigned mode = kFile;
};

constexpr NewFile kFiles[] = {
    {"registry.toml", "registry.toml"},
    {"policy/limits.toml", "limits.toml"},
    {"README.md", "README.md"},
    {".editorconfig", "editorconfig"},
    {".pre-commit-config.yaml", "pre-commit-config.yaml"},
    {"hooks/pre-commit", "pre-commit", {}, kProgram},
    {".github/workflows/registry.yml", "github-registry.yml", "github"},
    {".github/workflows/registry-plan.yml", "github-registry-plan.yml", "github"},
    {".gitlab-ci.yml", "gitlab-ci.yml", "gitlab"},
    {".forgejo/workflows/registry.yml", "forgejo-registry.yml", "forgejo"},
    {".forgejo/workflows/registry-plan.yml", "forgejo-registry-plan.yml", "forgejo"},
};

/// What a container image's name is made of; nothing that YAML or a shell reads differently.
bool is_image_name(std::string_view text) {
  constexpr std::size_t kLongest = 255;
  return !text.empty() && text.size() <= kLongest && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._/:@-").find(c) != std::string_view::npos;
  });
}

std::string filled_in(std::string_view text, const std::string& name, const std::string& image) {
  std::string out(text);
  for (const auto& [what, by] : {std::pair<std::string_view, const std::string&>{"@NAME@", name}, {"@IMAGE@", image}}) {
    for (auto at = out.find(what); at != std::string::npos; at = out.find(what, at + by.size()))
      out.replace(at, what.size(), by);
  }
  return out;
}

bool exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

/// A registry's name from the folder's: "Acme Metal" → "acme-metal".
std::string name_from(std::string folder) {
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  std::string name = base::to_lower(folder.substr(folder.rfind('/') + 1));
  std::ranges::replace_if(
      name, [](char c) { return c == ' ' || c == '_' || c == '.'; }, '-');
  return is_dns_label(name) ? name : "registry";
}

Result<> write_new(const std::string& path, const std::string& text, unsigned mode) {
  if (auto made = base::make_folders(path.substr(0, path.rfind('/')), kFolder); !made) return made;
  return base::write_file_atomically(path, text, mode);
}

}  // namespace

Exit run_init(Context& context) {
  const std::string folder = context.args.get("DIR").value_or(".");
  const std::string name = context.args.get("name").value_or(name_from(folder));
  const std::string image = context.args.text("image");
  const auto forges = context.args.all("ci");
  if (!is_dns_label(name))
    return fail(context, {Code::Invalid, "a registry's name is a DNS label such as acme-metal, not '" + name + "'"});
  if (!is_image_name(image)) return fail(context, {Code::Invalid, "'" + image + "' is no name of a container image"});

  std::vector<const NewFile*> files;
  for (const auto& file : kFiles) {
    const bool wanted = file.forge.empty() || forges.empty() || std::ranges::find(forges, file.forge) != forges.end();
    if (wanted) files.push_back(&file);
  }
  for (const auto* file : files) {
    const std::string path = folder + "/" + std::string(file->path);
    if (exists(path)) return fail(context, {Code::Conflict, path + " exists; nothing was written"});
  }
  for (const auto* file : files) {
    const std::string path = folder + "/" + std::string(file->path);
    const std::string text = filled_in(template_text(file->source), name, image);
    if (auto written = write_new(path, text, file->mode); !written) return fail(context, written.error());
    context.console.out(base::printable(path) + "\n");
  }
  for (const auto& file : schema_files()) {
    const std::string path = folder + "/" + file.path;
    if (exists(path)) continue;  // the same for everybody: nothing of anybody's is lost
    if (auto written = write_new(path, file.text, kFile); !written) return fail(context, written.error());
    context.console.out(base::printable(path) + "\n");
  }
  context.console.hint(
      "\nA new registry. Next:\n"
      "  git init && git config core.hooksPath hooks\n"
      "  nimbusctl validate\n"
      "  nimbusctl help registry      what goes where\n");
  return Exit::Ok;
}

}  // namespace nimbus::cli
