#include <ocrpipe/bulk/ledger/detail/file_system.hpp>

#include <doctest/doctest.h>

using namespace ocrpipe::detail;

namespace
{

::dev_t const anonymous = makedev(0, 42);
::dev_t const disk = makedev(8, 1);

} // namespace

TEST_CASE("shared_file_system: the numbers of those that several machines use -> their names")
{
    CHECK(shared_file_system(0x6969, anonymous) == "NFS");
    CHECK(shared_file_system(0xFF534D42, anonymous) == "CIFS");
    CHECK(shared_file_system(0xFE534D42, anonymous) == "SMB");
    CHECK(shared_file_system(0x5346414F, anonymous) == "AFS");
    CHECK(shared_file_system(0x01021997, anonymous) == "9p");
    CHECK(shared_file_system(0x00C36400, anonymous) == "Ceph");
    CHECK(shared_file_system(0x0BD00BD0, anonymous) == "Lustre");
    CHECK(shared_file_system(0x19830326, anonymous) == "BeeGFS");
    CHECK(shared_file_system(0x786F4256, anonymous) == "VirtualBox");
}

TEST_CASE("shared_file_system: those on a block device that several machines may share -> their names")
{
    CHECK(shared_file_system(0x01161970, disk) == "GFS2");
    CHECK(shared_file_system(0x7461636F, disk) == "OCFS2");
    CHECK(shared_file_system(0x47504653, disk) == "GPFS");
}

TEST_CASE("shared_file_system: FUSE -> local on a block device, otherwise shared")
{
    CHECK(shared_file_system(0x65735546, disk) == "");
    CHECK(shared_file_system(0x65735546, anonymous) == "FUSE");
}

TEST_CASE("shared_file_system: ext4, XFS, Btrfs, ZFS, tmpfs, overlay, NTFS of the kernel -> local")
{
    for (std::uint32_t const magic :
         {0xEF53u, 0x58465342u, 0x9123683Eu, 0x2FC12FC1u, 0x01021994u, 0x794C7630u, 0x7366746Eu})
        for (::dev_t const device : {anonymous, disk})
            CHECK(shared_file_system(magic, device) == "");
}
