-- What a portfolio would lose in each scenario, as `trimtab stress` computed it on one snapshot.
--
-- key: run_id, portfolio, subject, scenario
-- run_id        | the run that computed it                                                      | not null
-- portfolio     | the portfolio's name in the configuration                                     | not null
-- as_of         | data time, UTC                                                                | not null
-- subject       | holdings, or proposal: the weights of the newest recommendation                | not null
-- scenario      | its name, such as ftx_november_2022 or venue_loss:binance                      | not null
-- kind          | historical, hypothetical, or modelled: it rests on a fitted model              | not null
-- status        | complete, partial: some lines have no data, or no_data                         | not null
-- loss_fraction | loss over NAV, positive where money is lost; null without data                 | finite or null
-- loss_usd      | the same in US dollars; null where the value of the portfolio is unknown       | finite or null
-- covered       | share of the gross weight that the figure is about                             | 0 to 1
-- detail        | the sentence, the loss of each line, lines without data, further figures       | not null
-- is_simulated  | true: the data come from the simulated market                                  | not null
-- code_version  | version of the code that computed it                                           | not null
create table mart.scenario_results (
  run_id varchar not null,
  portfolio varchar not null,
  as_of timestamp not null,
  subject varchar not null,
  scenario varchar not null,
  kind varchar not null,
  status varchar not null,
  loss_fraction double,
  loss_usd double,
  covered double not null,
  detail json not null,
  is_simulated boolean not null,
  code_version varchar not null
)
