#ifndef OCRPIPE_BULK_LEDGER_DETAIL_FILE_SYSTEM_HPP
#define OCRPIPE_BULK_LEDGER_DETAIL_FILE_SYSTEM_HPP

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace ocrpipe::detail
{

struct file_system {
    std::uint32_t magic; ///< statfs::f_type
    std::string_view name;
};

/// File systems that several machines, or a machine and its guests, use at once. Some of their locks hold on
/// one machine only, and the write-ahead log needs memory that all processes share.
///
/// Source: statfs(2), linux/magic.h, and stat.c of GNU coreutils for those that are not in the kernel.
inline constexpr std::array shared_file_systems{
    file_system{0x6969, "NFS"},
    file_system{0x517B, "SMB"},
    file_system{0xFF534D42, "CIFS"},
    file_system{0xFE534D42, "SMB"},
    file_system{0x5346414F, "AFS"},
    file_system{0x6B414653, "AFS"},
    file_system{0x73757245, "Coda"},
    file_system{0x564C, "NCP"},
    file_system{0x01021997, "9p"},
    file_system{0x00C36400, "Ceph"},
    file_system{0x0BD00BD0, "Lustre"},
    file_system{0x01161970, "GFS2"},
    file_system{0x7461636F, "OCFS2"},
    file_system{0x47504653, "GPFS"},
    file_system{0x19830326, "BeeGFS"},
    file_system{0x20030528, "OrangeFS"},
    file_system{0xAAD7AAEA, "PanFS"},
    file_system{0x61636673, "ACFS"},
    file_system{0xBEEFDEAD, "StorNext"},
    file_system{0x013111A8, "IBRIX"},
    file_system{0x786F4256, "VirtualBox"},
    file_system{0xBACBACBC, "VMware"},
    file_system{0x7C7C6673, "Parallels"},
};

/// The name of the shared file system with this magic number that is mounted as `device`; empty for a local
/// one.
///
/// FUSE has one number for all its file systems. One on a block device, such as NTFS, is local. Another may
/// be sshfs or an object store, which cannot be told from a local one here, so it counts as shared.
inline std::string_view shared_file_system(std::uint32_t magic, ::dev_t device) noexcept
{
    constexpr std::uint32_t fuse = 0x65735546;
    if (magic == fuse) return major(device) == 0 ? "FUSE" : "";
    auto const found = std::find_if(shared_file_systems.begin(), shared_file_systems.end(),
                                    [magic](file_system const& f) { return f.magic == magic; });
    return found == shared_file_systems.end() ? std::string_view() : found->name;
}

} // namespace ocrpipe::detail

#endif
