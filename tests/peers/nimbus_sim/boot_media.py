"""The smallest things that boot: each prints one word on the serial line.

A boot sector for BIOS, an application for UEFI, disks of either kind, and a disc that boots
both ways. Written from the formats' descriptions: the PE/COFF specification, ECMA-119 (ISO 9660)
and the El Torito specification 1.0; FAT file systems are mtools' work.
"""
import os
import struct
import subprocess

SECTOR = 2048  # of a disc


def boot_sector(text):
    """Prints text on the first serial port; then the key "r" restarts the machine."""
    show = "31c0" "8ed8" "be207c" "ac" "84c0" "7406" "baf803" "ee" "ebf5"
    wait = "b400" "cd16" "3c72" "75f8" "b0fe" "e664" "ebfe"  # by the BIOS, which has the serial line as a keyboard
    code = bytes.fromhex(show + wait)
    assert len(code) == 0x20
    return (code + text.encode() + b"\0").ljust(510, b"\0") + b"\x55\xaa"


def uefi_application(text):
    """Prints text by way of ConOut->OutputString and stays."""
    code = bytes.fromhex("4883ec28" "488b4a40" "488d1506000000" "ff5108" "f4" "ebfd") + (text + "\r\n\0").encode("utf-16-le")
    assert len(code) <= 0x200
    dos = b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40)
    coff = b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 1, 0, 0, 0, 240, 0x0022)
    optional = struct.pack("<HBBIIIII", 0x20B, 0, 0, 0x200, 0, 0, 0x1000, 0x1000)
    optional += struct.pack("<QIIHHHHHHIIIIHH", 0, 0x1000, 0x200, 0, 0, 0, 0, 0, 0, 0, 0x2000, 0x200, 0, 10, 0)
    optional += struct.pack("<QQQQII", 0x1000, 0x1000, 0x1000, 0x1000, 0, 16) + bytes(16 * 8)
    section = b".text".ljust(8, b"\0") + struct.pack("<IIIIIIHHI", 0x200, 0x1000, 0x200, 0x200, 0, 0, 0, 0, 0xE0000020)
    return (dos + coff + optional + section).ljust(0x200, b"\0") + code.ljust(0x200, b"\0")


def fat_with_application(path, size_kib, text):
    """A file system that UEFI boots as it does a removable disk."""
    application = path + ".efi"
    with open(application, "wb") as file:
        file.write(uefi_application(text))
    with open(path, "wb") as file:
        file.truncate(size_kib * 1024)
    subprocess.run(["mformat", "-i", path, "::"] if size_kib != 1440 else ["mformat", "-i", path, "-f", "1440", "::"], check=True)
    subprocess.run(["mmd", "-i", path, "::/EFI", "::/EFI/BOOT"], check=True)
    subprocess.run(["mcopy", "-i", path, application, "::/EFI/BOOT/BOOTX64.EFI"], check=True)
    os.remove(application)


def both(value, size):
    """A number in both byte orders, as ISO 9660 writes them."""
    return value.to_bytes(size, "little") + value.to_bytes(size, "big")


def disc(path, text):
    """An ISO 9660 disc with no files, which boots by BIOS and by UEFI."""
    fat = path + ".fat"
    fat_with_application(fat, 1440, text)
    with open(fat, "rb") as file:
        uefi = file.read()
    os.remove(fat)
    catalog, bios, table, root, efi = 19, 20, 21, 22, 23
    sectors = efi + len(uefi) // SECTOR
    moment = b"\0" * 7
    directory = bytes([34, 0]) + both(root, 4) + both(SECTOR, 4) + moment + b"\x02\0\0" + both(1, 2) + b"\x01\0"
    primary = b"\x01CD001\x01\0" + b" " * 32 + b"NIMBUS".ljust(32) + bytes(8) + both(sectors, 4) + bytes(32)
    primary += both(1, 2) + both(1, 2) + both(SECTOR, 2) + both(10, 4) + struct.pack("<II", table, 0) + struct.pack(">II", 0, 0)
    primary += directory + b" " * 623 + (b"0" * 16 + b"\0") * 4 + b"\x01"
    boot_record = b"\0CD001\x01" + b"EL TORITO SPECIFICATION".ljust(32, b"\0") + bytes(32) + struct.pack("<I", catalog)
    check = bytearray(b"\x01" + bytes(27) + b"\0\0\x55\xaa")
    struct.pack_into("<H", check, 28, -sum(struct.unpack("<16H", check)) & 0xFFFF)
    first = struct.pack("<BBHBBHI", 0x88, 0, 0, 0, 0, 4, bios).ljust(32, b"\0")
    header = struct.pack("<BBH", 0x91, 0xEF, 1).ljust(32, b"\0")
    second = struct.pack("<BBHBBHI", 0x88, 0, 0, 0, 0, min(len(uefi) // 512, 0xFFFF), efi).ljust(32, b"\0")
    path_table = bytes([1, 0]) + struct.pack("<IH", root, 1) + b"\0\0"
    with open(path, "wb") as file:
        for number, content in ((16, primary), (17, boot_record), (18, b"\xffCD001\x01"), (catalog, bytes(check) + first + header + second),
                                (bios, boot_sector(text)), (table, path_table), (root, directory), (efi, uefi)):
            file.seek(number * SECTOR)
            file.write(content)
        file.truncate(sectors * SECTOR)
