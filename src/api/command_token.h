/* command_token.h -- `covalent token --user ID [--name NAME] [--role ROLE] [--hours N] [--url URL]`: prints
 * a token and the link that signs a browser in. The secret is WS_SECRET_KEY. */
#ifndef API_COMMAND_TOKEN_H
#define API_COMMAND_TOKEN_H

int command_token(int argc, char **argv);       /* argv[0]: "token"; returns the exit status */

#endif
