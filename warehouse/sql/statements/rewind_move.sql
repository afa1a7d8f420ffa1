-- Stand at another moment.
set variable moment = {moment}
