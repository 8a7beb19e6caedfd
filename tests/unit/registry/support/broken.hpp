// The example registry, broken in many ways: what is edited, and where which
#pragma once

#include <string>
#include <vector>

#include "memory_source.hpp"

namespace nimbus::registry::test {

struct Variant {
  std::string file;
  std::string from;  // empty: `to` is appended; "*": `to` is the whole new content
  std::string to;
  ProblemCode code;
  std::uint32_t line;
  std::string in = {};  // file that the problem is reported in, if another
};

inline std::vector<Variant> variants() {
  using enum ProblemCode;
  const std::string m = "providers/berlin-1/machines/b2/m017.toml";
  const std::string ipmi = "providers/berlin-1/machines/b3/m031.toml";
  const std::string cls = "providers/berlin-1/classes/r650.toml";
  const std::string prov = "providers/berlin-1/provider.toml";
  const std::string net = "providers/berlin-1/networks/provisioning.toml";
  const std::string tnet = "providers/berlin-1/networks/tenant-acme.toml";
  const std::string img = "images/debian-12.toml";
  const std::string pre = "images/debian-12-preseed.toml";
  const std::string web = "profiles/web.toml";
  const std::string base = "profiles/base.toml";
  const std::string app = "tenants/acme/profiles/app.toml";
  const std::string inst = "tenants/acme/instances/web-1.toml";
  const std::string db = "tenants/acme/instances/db-1.toml";
  const std::string build = "tenants/globex/instances/build-1.toml";
  return {
      // layers of trust: each in the file that says both
      {cls, "",
       "[bmc]\ntls = { ca = \"bmc-ca\", pin = [\"spki-sha256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=\"] }\n",
       Conflict, 20},
      {prov, "tls = { ca = \"bmc-ca\" }",
       "tls = { ca = \"bmc-ca\", pin = [\"spki-sha256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=\"] }", Conflict, 11},
      // text
      {m, "unit = 17", "unit = ", Syntax, 6},
      {m, "unit = 17", "unit = 17\nunit = 18", Syntax, 7},
      {m, "rack b2", "rack \xFF", NotUtf8, 2},
      {m, "", std::string(TreeSource::kMaxFile, '#'), TooLarge, 0},
      {m, "",
       "x" +
           [] {
             std::string s;
             for (int i = 0; i < 40; ++i) s += ".x";
             return s;
           }() +
           " = 1\n",
       TooDeep, 22},
      // keys and values
      {m, "[bmc]\naddress", "[bmc]\ndrvier = \"ipmi\"\naddress", UnknownKey, 10},
      {m, "class = ", "colour = \"red\"\nclass = ", UnknownKey, 1},
      {m, "speed_gbps", "speed_mbps", UnknownKey, 19},
      {cls, "[hardware]", "[identity]\nserial = \"X1\"\n[hardware]", MisplacedKey, 3},
      {cls, "[hardware]", "[bmc]\naddress = \"https://x.example\"\n[hardware]", MisplacedKey, 4},
      {prov, "[defaults.boot]", "[defaults.hardware]\ncpu_cores = 1\n[defaults.boot]", MisplacedKey, 13},
      {"registry.toml", "name = \"acme-metal\"\n", "", MissingKey, 1},
      {prov, "region = \"eu-central\"\n", "", MissingKey, 1},
      {net, "cidr = \"10.20.0.0/24\"\n", "", MissingKey, 1},
      {img, "sha256 = ", "#", MissingKey, 7},
      {inst, "image = \"debian-12\"\n", "", MissingKey, 1},
      {m, "unit = 17", "unit = \"17\"", WrongType, 6},
      {m, "feeds = [\"A\", \"B\"]", "feeds = \"A\"", WrongType, 7},
      {m, "feeds = [\"A\", \"B\"]", "feeds = [\"A\", 2]", WrongType, 7},
      {m, "[location]", "[[location]]", WrongType, 4},
      {"policy/people/bob.toml", "ssh_keys = [", "ssh_keys = [1, ", WrongType, 2},
      {"providers/oslo-1/machines/a001.toml", "class = \"altra\"", "class = \"altra\"\npower = \"onn\"", NotAllowed, 2},
      {m, "class = \"r650\"", "class = \"r650\"\nenforcement = \"enforced\"", NotAllowed, 2},
      {img, "installer = \"disk-image\"", "installer = \"disk_image\"", NotAllowed, 4},
      {net, "dhcp = \"server\"", "dhcp = \"on\"", NotAllowed, 6},
      {m, "mac = \"52:54", "mac = \"52-54", BadValue, 15},
      {m, "spki-sha256:", "sha256:", BadValue, 11},
      {net, "10.20.0.0/24", "10.20.0.1/24", BadValue, 1},
      {net, "10.20.0.0/24", "10.20.0/24", BadValue, 1},
      {prov, "https://nimbus", "http://nimbus", BadValue, 6},
      {prov, "https://nimbus.berlin", "https://user:pass@nimbus.berlin", BadValue, 6},
      {"policy/people/bob.toml", "ssh-ed25519 ", "ssh-dss ", BadValue, 2},
      {"policy/limits.toml", "\"24h\"", "\"1 day\"", BadValue, 12},
      {"policy/limits.toml", "\"22:00\"", "\"24:00\"", BadValue, 16},
      {"policy/limits.toml", "\"sun\"", "\"sunday\"", BadValue, 15},
      {web, "/etc/nginx/conf.d/server-tokens.conf\"\ncontent", "etc/nginx.conf\"\ncontent", BadValue, 4},
      {web, "name = \"nginx\"", "name = \"nginx@\"", BadValue, 9},
      {web, "name = \"nginx\"", "name = \"nginx@.service\"", BadValue, 9},
      {web, "name = \"nginx\"", "name = \"@nginx\"", BadValue, 9},
      {img, "mount = \"/var\"", "mount = \"var\"", BadValue, 13},
      {m, "https://bmc-m017.berlin-1.example", "bmc-m017.berlin-1.example", BadValue, 10},
      {ipmi, "\"bmc-m031.berlin-1.example:623\"", "\"https://bmc-m031.berlin-1.example\"", BadValue, 9},
      {net, "vlan = 120", "vlan = 4095", OutOfRange, 5},
      {cls, "cpu_cores = 32", "cpu_cores = 0", OutOfRange, 5},
      {inst, "provider = ", "reinstall = -1\nprovider = ", OutOfRange, 1},
      {ipmi, "[bmc]", "[bmc]\ncipher_suite = 8", OutOfRange, 9},
      {m, "rack b2 unit 17", "rack\\u0007", ControlCharacter, 2},
      {m, "feeds = [\"A\", \"B\"]", "feeds = [\"A\", \"A\"]", DuplicateItem, 7},
      {inst, "[[window]]", "[[network]]\nname = \"tenant-acme\"\n[[window]]", DuplicateItem, 21},
      {base, "[[service]]", "[[file]]\npath = \"/etc/motd\"\ncontent = \"x\"\n[[service]]", DuplicateItem, 21},
      {base, "source = \"files/motd\"", "source = \"files/motd\"\ncontent = \"x\"", Conflict, 7},
      {base, "absent = [\"telnet\"]", "absent = [\"chrony\"]", Conflict, 4},
      // host configuration: inside of one profile, and of all profiles of an instance
      {web, "[[directory]]\npath = \"/srv/www\"", "[[directory]]\npath = \"/etc/nginx/conf.d/server-tokens.conf\"",
       Conflict, 23},
      {web, "restart_on = [\"/etc/nginx/conf.d/server-tokens", "restart_on = [\"/etc/nginx/conf.d/server-token",
       UnknownReference, 8},
      {web, "content = \"server_tokens off;\\n\"\n", "", MissingKey, 3},
      {web, "[sysctl]", "[[interface]]\nname = \"v1\"\nvlan = { id = 7, link = \"eno1\" }\n[sysctl]", UnknownReference,
       14},
      {web, "[sysctl]",
       "[[command]]\nname = \"x\"\nrun = \"true\"\ncreates = \"/x\"\nafter = [\"package:nginz\"]\n[sysctl]",
       UnknownReference, 14},
      {base, "{{instance.hostname}}", "{{instance.hostnam}}", UnknownReference, 1},
      {base, "{{instance.hostname}}", "{{ if x }}", UnknownReference, 1},
      {base, "{{provider.region}}", "{{provider.labels.zone}}", UnknownReference, 14},
      {base, "{{provider.region}}", "{{machine.labels.zone}}", UnknownReference, 14},
      {base, "source = \"files/motd\"", "source = \"files/{{tenant.name}}\"", UnknownReference, 9},
      {app, "tenant/acme/app-token\"", "tenant/acme/app-token\"\nmode = \"0444\"", Conflict, 11},
      {app, "tenant/acme/app-token", "forge/token", CredentialScope, 10},
      {web, "", "[[secret_file]]\npath = \"/etc/x\"\nsecret = \"tenant/acme/app-token\"\n", CredentialScope, 28},
      {img, "[disk]",
       "[kernel]\nurl = \"https://images.example/l\"\nsha256 = "
       "\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"\n[disk]",
       Conflict, 7},
      {m, "", "[boot]\nmode = \"bios\"\nsecure_boot = true\n", Conflict, 24},
      {net, "range = [\"10.20.0.100\", \"10.20.0.199\"]", "range = [\"10.20.0.199\", \"10.20.0.100\"]", Conflict, 7},
      {net, "role = \"provisioning\"", "role = \"provisioning\"\ntenants = [\"acme\"]", Conflict, 3},
      {m, "[bmc]", "[bmc]\ncipher_suite = 17", WrongDriver, 10},
      {ipmi, "[bmc]", "[bmc]\ntls = { ca = \"bmc-ca\" }", WrongDriver, 9},
      {ipmi, "", "[boot]\nmethod = \"virtual-media\"\n", WrongDriver, 16},
      {m, "[bmc]", "[bmc]\ncredentials = [\"Hunter2!\"]", SecretLiteral, 10},
      {app, "tenant/acme/app-token", "s3cr3T/Token+1", SecretLiteral, 10},
      // tree
      {"registry.toml", "*", "", MissingKey, 1},
      {"providers/berlin-1/machines/b2/M099.toml", "*", "class = \"r650\"\n", BadName, 0},
      {"providers/Berlin/provider.toml", "*", "region = \"x\"\n", BadName, 0},
      {"providers/berlin-1/machines/a/b/m1.toml", "*", "", UnknownPath, 0},
      {"machines/m1.toml", "*", "", UnknownPath, 0},
      {"tenants/acme/volumes/v1.toml", "*", "", ReservedPath, 0},
      {"federation/x.toml", "*", "", ReservedPath, 0},
      {"files/MOTD", "*", "x", CaseCollision, 0, "files/MOTD"},
      {"providers/paris-1/machines/p1.toml", "*", "class = \"x\"\n", MissingFile, 0, "providers/paris-1/provider.toml"},
      // the whole
      {"registry.toml", "format = 1", "format = 2", BadFormat, 2},
      {"registry.toml", "requires = \"1.0\"", "requires = \"1.9\"", TooNew, 4},
      {m, "class = \"r650\"", "class = \"r640\"", UnknownReference, 1},
      {m, "", "[boot]\nnetwork = \"provisoning\"\n", UnknownReference, 23},
      {inst, "image = \"debian-12\"", "image = \"debain-12\"", UnknownReference, 2},
      {inst, "\"web\", \"app\"", "\"wbe\", \"app\"", UnknownReference, 3},
      {inst, "person:bob", "person:bbo", UnknownReference, 13},
      {inst, "name = \"tenant-acme\"", "name = \"tenant-acmee\"", UnknownReference, 17},
      {inst, "machine = \"m017\"", "machine = \"m0177\"", UnknownReference, 7},
      {inst, "files/web-user-data.yaml", "files/web.yaml", UnknownReference, 14},
      {build, "provider = \"oslo-1\"", "provider = \"oslo-2\"", UnknownReference, 1},
      {base, "files/motd", "files/modt", UnknownReference, 9},
      {pre, "files/preseed/debian-12.cfg", "files/preseed/debian.cfg", UnknownReference, 6},
      {"policy/bindings.toml", "role = \"tenant-admin\"", "role = \"tenant-admn\"", UnknownReference, 6},
      {"policy/bindings.toml", "\"carol\"", "\"carla\"", UnknownReference, 13},
      {"policy/tenants/globex.toml", "oslo-1", "olso-1", UnknownReference, 2},
      {"providers/oslo-1/machines/x021.toml", "globex", "globx", UnknownReference, 1},
      {"tenants/initech/instances/i1.toml", "*", "provider = \"berlin-1\"\nimage = \"debian-12\"\n", UnknownReference,
       0},
      {"providers/berlin-1/machines/b2/m018.toml", "bmc-m018", "bmc-m017", Duplicate, 12},
      {"providers/berlin-1/machines/b1/m017.toml", "*", "", Duplicate, 0, m},
      {m, "52:54:00:12:34:18", "52:54:00:12:00:0b", Duplicate, 18},
      {"tenants/acme/instances/web-2.toml", "m018", "m017", Duplicate, 7},
      {"tenants/acme/instances/web-2.toml", "10.30.0.12", "10.30.0.11", Duplicate, 18},
      {m, "serial = ", "#", NoIdentity, 13},
      {m, "serial = \"", "serial = \"0123456789\" #", NoIdentity, 14},
      {m, "[bmc]", "[bmc]\ncredentials = [\"tenant/acme/x\"]", CredentialScope, 10},
      {web, "", "[[secret_file]]\npath = \"/etc/x\"\nsecret = \"bmc/berlin-1\"\n", CredentialScope, 28},
      {app, "tenant/acme/app-token", "tenant/globex/token", CredentialScope, 10},
      {tnet, "10.30.0.0/24", "10.20.0.128/25", CidrOverlap, 1},
      {net, "gateway = \"10.20.0.1\"", "gateway = \"10.21.0.1\"", OutsideNetwork, 3},
      {inst, "10.30.0.11", "10.31.0.11", OutsideNetwork, 18},
      {inst, "name = \"tenant-acme\"", "name = \"provisioning\"", WrongRole, 17},
      {m, "", "[boot]\nnetwork = \"public\"\n", WrongRole, 23},
      {"policy/tenants/acme.toml", "\"*\"", "\"oslo-1\"", NotAdmitted, 1, inst},
      {tnet, "tenants = [\"acme\"]", "tenants = [\"globex\"]", NotAdmitted, 17, inst},
      {"providers/oslo-1/provider.toml", "tenants = [\"acme\", \"globex\"]", "tenants = [\"acme\"]", NotAdmitted, 1,
       build},
      {build, "machine = \"a001\"\narch = \"aarch64\"", "machine = \"x021\"\narch = \"aarch64\"", ArchMismatch, 2},
      {inst, "image = \"debian-12\"", "image = \"debian-12-arm64\"", ArchMismatch, 2},
      {db, "arch = \"x86_64\"", "arch = \"aarch64\"", ArchMismatch, 7},
      {inst, "cpu_cores = 16", "cpu_cores = 64", TooSmall, 8},
      {inst, "labels = { class = \"general\" }", "labels = { class = \"gpu\" }", TooSmall, 10},
      {m, "https://bmc-m017", "https://BMC-m017", BadValue, 10},
      {ipmi, "\"bmc-m031", "\"BMC-M031", BadValue, 9},
      {"policy/tenants/acme.toml", "instances = 10", "instances = 2", QuotaExceeded, 1,
       "tenants/acme/instances/web-2.toml"},
      {"policy/tenants/acme.toml", "cpu_cores = 256", "cpu_cores = 60", QuotaExceeded, 8,
       "tenants/acme/instances/web-2.toml"},
      {prov, "machines_rebooting = 3", "machines_rebooting = 6", LoosensLimit, 22},
  };
}

inline MemorySource broken(const Variant& variant) {
  auto source = example();
  if (variant.from == "*") {
    source.files[variant.file] = variant.to;
  } else if (variant.from.empty()) {
    source.files.at(variant.file) += variant.to;
  } else {
    source.edit(variant.file, variant.from, variant.to);
  }
  return source;
}

}  // namespace nimbus::registry::test
