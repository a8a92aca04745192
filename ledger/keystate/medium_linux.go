package keystate

import "golang.org/x/sys/unix"

// fileSystem returns what is known of one that statfs(2) tells by its number.
func fileSystem(number int64) Medium {
	switch number {
	case unix.EXT4_SUPER_MAGIC: // and ext2, and ext3
		return Medium{FileSystem: "ext4", Erasing: InPlace}
	case unix.XFS_SUPER_MAGIC:
		return Medium{FileSystem: "xfs", Erasing: InPlace}
	case unix.MSDOS_SUPER_MAGIC:
		return Medium{FileSystem: "vfat", Erasing: InPlace}
	case unix.EXFAT_SUPER_MAGIC:
		return Medium{FileSystem: "exfat", Erasing: InPlace}
	case unix.TMPFS_MAGIC:
		return Medium{FileSystem: "tmpfs", Erasing: InMemory}
	case unix.RAMFS_MAGIC:
		return Medium{FileSystem: "ramfs", Erasing: InMemory}
	case unix.BTRFS_SUPER_MAGIC:
		return Medium{FileSystem: "btrfs", Erasing: CopyOnWrite}
	case 0x2fc12fc1:
		return Medium{FileSystem: "zfs", Erasing: CopyOnWrite}
	case unix.BCACHEFS_SUPER_MAGIC:
		return Medium{FileSystem: "bcachefs", Erasing: CopyOnWrite}
	case unix.F2FS_SUPER_MAGIC:
		return Medium{FileSystem: "f2fs", Erasing: CopyOnWrite}
	case unix.NILFS_SUPER_MAGIC:
		return Medium{FileSystem: "nilfs2", Erasing: CopyOnWrite}
	case unix.JFFS2_SUPER_MAGIC:
		return Medium{FileSystem: "jffs2", Erasing: CopyOnWrite}
	case 0x24051905:
		return Medium{FileSystem: "ubifs", Erasing: CopyOnWrite}
	case unix.NFS_SUPER_MAGIC:
		return Medium{FileSystem: "nfs", Erasing: Remote}
	case unix.SMB_SUPER_MAGIC:
		return Medium{FileSystem: "smb", Erasing: Remote}
	case unix.SMB2_SUPER_MAGIC:
		return Medium{FileSystem: "smb2", Erasing: Remote}
	case unix.CIFS_SUPER_MAGIC:
		return Medium{FileSystem: "cifs", Erasing: Remote}
	case unix.CEPH_SUPER_MAGIC:
		return Medium{FileSystem: "ceph", Erasing: Remote}
	case unix.V9FS_MAGIC:
		return Medium{FileSystem: "9p", Erasing: Remote}
	case unix.AFS_SUPER_MAGIC:
		return Medium{FileSystem: "afs", Erasing: Remote}
	case unix.FUSE_SUPER_MAGIC:
		return Medium{FileSystem: "fuse", Erasing: Unknown}
	case unix.OVERLAYFS_SUPER_MAGIC: // a container's, gone with it
		return Medium{FileSystem: "overlay", Erasing: Unknown}
	case unix.ECRYPTFS_SUPER_MAGIC:
		return Medium{FileSystem: "ecryptfs", Erasing: Unknown}
	}
	return Medium{Erasing: Unknown}
}

// MediumOf returns what is known of where a directory lies.
func MediumOf(path string) (Medium, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return Medium{Erasing: Unknown}, err
	}
	var file unix.Stat_t
	if err := unix.Stat(path, &file); err != nil {
		return Medium{Erasing: Unknown}, err
	}
	m := fileSystem(int64(fs.Type) & 0xffffffff)
	m.Device = uint64(file.Dev)
	return m, nil
}
