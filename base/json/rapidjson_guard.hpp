// What every inclusion of RapidJSON in this folder must see first: its assertions
// throw (and are caught in the wrapper) instead of ending the program.
#pragma once

#include <stdexcept>

#define RAPIDJSON_HAS_STDSTRING 1
#define RAPIDJSON_ASSERT(expression) \
  ((expression) ? static_cast<void>(0) : throw std::logic_error("rapidjson: " #expression))
