/* command_check.h -- `covalent check [DIR]`: every problem of a workspace, with file, line and column. */
#ifndef ENTITY_COMMAND_CHECK_H
#define ENTITY_COMMAND_CHECK_H

/* argv[0] is the command's name. 0: no errors. 1: errors were printed. 2: the directory cannot be read, or usage. */
int command_check(int argc, char **argv);

#endif
