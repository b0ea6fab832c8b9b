/* weave_cli.h -- weave driven by lines on standard input; each command answers with one line.
 * A module of commands takes the lines with its prefix and returns false for others. */
#ifndef WEAVE_CLI_H
#define WEAVE_CLI_H

#include <stdbool.h>

bool weave_cli_doc(char *line);         /* doc.*: documents */
bool weave_cli_bytes(char *line);       /* bytes.* relay.*: updates and relays */

#endif
