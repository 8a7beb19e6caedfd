# cmake -DFILE=openapi.json -DOUTPUT=openapi.cpp -P EmbedDescription.cmake
# A string literal may have 64 KiB (C++ [implimits]): the file goes in as pieces.
file(READ "${FILE}" text)
string(LENGTH "${text}" length)
set(literal "")
set(at 0)
while(at LESS length)
  string(SUBSTRING "${text}" ${at} 8000 piece)
  string(APPEND literal "    R\"~nimbus~(${piece})~nimbus~\"\n")
  math(EXPR at "${at} + 8000")
endwhile()
file(WRITE "${OUTPUT}" "// Made from docs/reference/openapi.json by CMake.\n#include \"controller/api/api.hpp\"\n\n"
  "namespace nimbus::controller {\n\nstd::string_view openapi_text() noexcept {\n  return\n${literal};\n}\n\n"
  "}  // namespace nimbus::controller\n")
