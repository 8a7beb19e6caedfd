# cmake -DFOLDER=cli/templates -DOUTPUT=templates.cpp -P EmbedTemplates.cmake
# Writes every file of the folder into one source as a raw string.
file(GLOB names RELATIVE "${FOLDER}" "${FOLDER}/*")
list(SORT names)
set(source "// Made from cli/templates by CMake.\n#include \"cli/templates.hpp\"\n\nnamespace nimbus::cli {\nnamespace {\nconstexpr Template kTemplates[] = {\n")
foreach(name IN LISTS names)
  file(READ "${FOLDER}/${name}" text)
  string(APPEND source "    {\"${name}\", R\"~nimbus~(${text})~nimbus~\"},\n")
endforeach()
string(APPEND source "};\n}  // namespace\n\nstd::span<const Template> templates() noexcept { return kTemplates; }\n\n"
  "std::string_view template_text(std::string_view name) noexcept {\n  for (const auto& entry : kTemplates) {\n"
  "    if (entry.name == name) return entry.text;\n  }\n  return {};\n}\n\n}  // namespace nimbus::cli\n")
file(WRITE "${OUTPUT}" "${source}")
