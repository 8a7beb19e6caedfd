#include "cli/toml_layout.hpp"

#include <doctest/doctest.h>

using nimbus::Code;
using nimbus::cli::toml_layout;

namespace {

std::string laid_out(std::string_view text) {
  const auto out = toml_layout(text);
  REQUIRE_MESSAGE(out, (out ? "" : out.error().message));
  const auto again = toml_layout(*out);
  REQUIRE(again);
  CHECK_MESSAGE(*again == *out, "not stable");
  return *out;
}

}  // namespace

TEST_CASE("layout: spaces, line ends and empty lines") {
  CHECK(laid_out("a=1\r\n  b   =   'x'  \r\n\r\n\r\n\r\nc = 2") == "a = 1\nb = 'x'\n\nc = 2\n");
  CHECK(laid_out("\xEF\xBB\xBF"
                 "a=1\n") == "a = 1\n");
  CHECK(laid_out("\n\n\na=1\n\n\n") == "a = 1\n");
  CHECK(laid_out("") == "");
  CHECK(laid_out("\n\n") == "");
  CHECK(laid_out("a=1\n[ t . 'u v' ]\nb=2\n[[x]]\n[[ x ]]") == "a = 1\n\n[t.'u v']\nb = 2\n\n[[x]]\n\n[[x]]\n");
  CHECK(laid_out("a . b=1") == "a.b = 1\n");
}

TEST_CASE("layout: comments stay, with their distance") {
  CHECK(laid_out("#head\n\n\na=1      # one  \nb=2# two\n") == "#head\n\na = 1      # one\nb = 2 # two\n");
  CHECK(laid_out("a = 1\n# of t\n# more\n[t] # t\n") == "a = 1\n\n# of t\n# more\n[t] # t\n");
  CHECK(laid_out("# only\n") == "# only\n");
  CHECK(laid_out("# first\n[t]\n") == "# first\n[t]\n");
}

TEST_CASE("layout: arrays and inline tables") {
  CHECK(laid_out("a=[ 1,2 ,3 ]") == "a = [1, 2, 3]\n");
  CHECK(laid_out("a=[]\nb={}") == "a = []\nb = {}\n");
  CHECK(laid_out("a={x=1,y . z=[1,{k='v'}]}") == "a = { x = 1, y.z = [1, { k = 'v' }] }\n");
  CHECK(laid_out("a=[\n1,\n      2, # two\n\n\n# three\n3\n]") == "a = [\n  1,\n  2, # two\n\n  # three\n  3\n]\n");
  CHECK(laid_out("a=[[1,\n2],\n[\n3]]") == "a = [[1,\n    2],\n  [\n    3]]\n");
  CHECK(laid_out("a = [1, 2,]") == "a = [1, 2,]\n");
}

TEST_CASE("layout: strings are never touched") {
  const char* text = R"(a = "x  =  # no comment [ ] { , \" "
b = 'c:\  # [ '
c = """
  keep   this =
	and # this\
   """
d = '''
 [x]
 a=1''''
"quoted  key" = 1
)";
  CHECK(laid_out(text) == text);
  CHECK(laid_out("a = \"\"\"x\"\"\"\"\"\n") == "a = \"\"\"x\"\"\"\"\"\n");
  CHECK(laid_out("a='''x\r\ny'''\r\n") == "a = '''x\r\ny'''\n");
}

TEST_CASE("layout: dates with a blank, numbers, dotted keys") {
  CHECK(laid_out("a=1979-05-27 07:32:00Z # t\nb=1_000\nc=+1e3\nd=07:32:00\n3.14=1") ==
        "a = 1979-05-27 07:32:00Z # t\nb = 1_000\nc = +1e3\nd = 07:32:00\n3.14 = 1\n");
}

TEST_CASE("layout: what is no TOML is an error with its line") {
  const auto out = toml_layout("a = 1\nb = \n");
  REQUIRE(!out);
  CHECK(out.error().code == Code::Invalid);
  CHECK(out.error().message.starts_with("line 2: "));
}
