/** How many files and sockets this process may have open; undefined where nobody says so. Node raises its soft limit to the hard one when it starts. */
export function openFilesMax(): number | undefined {
  const { report } = process;
  // Else it would look up the name of every address that a socket of this process has.
  Object.assign(report, { excludeNetwork: true });
  const { userLimits } = report.getReport() as { userLimits?: { open_files?: { soft?: number | string } } };
  const soft = userLimits?.open_files?.soft;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : typeof soft === 'number' ? soft : undefined;
}
