/** What a file system refused, in words. Works on names and codes alone, so that it opens nothing. @module */

/** What was seen, completing "Cannot … "PATH": …", and what to do about it. */
export interface FileFault {
  kind: "missing" | "denied" | "folder" | "blocked" | "full" | "exists";
  seen: string;
  hint: string;
}

const FAULTS: readonly { when: RegExp; fault: FileFault }[] = [
  {
    when: /^(NotFound|ENOENT)$/,
    fault: {
      kind: "missing",
      seen: "no such file or folder",
      hint: "Check the path; relative ones start at the working folder.",
    },
  },
  {
    when: /^(PermissionDenied|NotCapable|EACCES|EPERM|EROFS|ReadOnlyFilesystem)$/,
    fault: {
      kind: "denied",
      seen: "this user may not",
      hint: "Give this user permission on it and its folder, or name another place.",
    },
  },
  {
    when: /^(IsADirectory|EISDIR)$/,
    fault: { kind: "folder", seen: "it is a folder", hint: "Name a file." },
  },
  {
    when: /^(NotADirectory|FilesystemLoop|ENOTDIR|ELOOP)$/,
    fault: {
      kind: "blocked",
      seen: "a part of the path is no folder",
      hint: "Move the file that stands in the way, or name another place.",
    },
  },
  {
    when: /^(AlreadyExists|EEXIST)$/,
    fault: {
      kind: "exists",
      seen: "something of that name is in the way",
      hint: "Move it, or name another place.",
    },
  },
  {
    when: /^(ENOSPC|EDQUOT|EFBIG)$/,
    fault: {
      kind: "full",
      seen: "the disk is full",
      hint: "Free some space and run the same command again.",
    },
  },
];

/** Returns what a file system error means, null for any other error. */
export function fileFault(error: unknown): FileFault | null {
  if (!(error instanceof Error)) return null;
  const code = "code" in error ? String(error.code) : "";
  for (const word of [code, error.name]) {
    const found = FAULTS.find(({ when }) => when.test(word));
    if (found !== undefined) return found.fault;
  }
  return null;
}
